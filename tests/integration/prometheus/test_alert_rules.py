"""The alert rules are judged by Prometheus' own promtool."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from click.testing import CliRunner

from tinykit_ops.cli.monitoring import command

INVENTORY = """
from tinykit_ops.settings import check_inventory
_ALL = {"admin_email": "a@example.com", "app": {"archive": "https://example.com/t.zst",
    "sha256": "0" * 64}}
hosts = [
    ("strict.example.com", {"tinykit": {**_ALL, "domains": ["a.example.com"],
        "watch": {"backup_hours": 3}, "metrics": {"enabled": True, "node_port": 9200}}}),
    ("mild.example.com", {"tinykit": {**_ALL, "domains": ["b.example.com"],
        "watch": {"backup_hours": 100}}}),
]
check_inventory(__file__)
"""
LATE = """
rule_files: [alerts.yml]
evaluation_interval: 5m
tests:
  - interval: 5m
    input_series:
      - {series: 'NAME{instance="strict.example.com"}', values: '1x200'}
      - {series: 'NAME{instance="mild.example.com:9100"}', values: '1x200'}
      - {series: 'NAME{instance="strictXexample.com"}', values: '1x200'}
    promql_expr_test:
      - expr: 'count by (instance) (ALERTS{alertstate="firing",alertname="TinykitBackupOverdue"})'
        eval_time: 8h
        exp_samples: [{labels: '{instance="strict.example.com"}', value: 1}]
""".replace("NAME", "tinykit_backup_last_success_timestamp_seconds")


def printed(*words: str) -> str:
    done = CliRunner().invoke(command, words, standalone_mode=False, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def promtool(folder: Path, *words: str) -> None:
    done = subprocess.run(
        ["promtool", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_when_it_should_and_is_silent_on_a_host_that_is_well(
    tmp_path: Path,
) -> None:
    (tmp_path / "alerts.yml").write_text(printed("rules"))
    shutil.copy(Path(__file__).with_name("alerts_test.yml"), tmp_path)
    promtool(tmp_path, "check", "rules", "alerts.yml")
    promtool(tmp_path, "test", "rules", "alerts_test.yml")


def test_no_alert_is_without_a_trial() -> None:
    tried = Path(__file__).with_name("alerts_test.yml").read_text()
    names = re.findall(r"alert: (\w+)", printed("rules"))
    assert len(names) >= 19
    assert [name for name in names if f'"{name}"' not in tried] == []


def test_hosts_with_other_bounds_are_judged_by_their_own(tmp_path: Path) -> None:
    (tmp_path / "inventory.py").write_text(INVENTORY)
    words = ("--inventory", str(tmp_path / "inventory.py"))
    (tmp_path / "alerts.yml").write_text(printed("rules", *words))
    (tmp_path / "late.yml").write_text(LATE)
    promtool(tmp_path, "check", "rules", "alerts.yml")
    promtool(tmp_path, "test", "rules", "late.yml")
    (tmp_path / "prometheus.yml").write_text(printed("scrape", *words))
    promtool(tmp_path, "check", "config", "prometheus.yml")
    text = (tmp_path / "prometheus.yml").read_text()
    assert '"strict.example.com:9200"' in text
    assert '"strict.example.com:9113"' in text
    assert "mild" not in text
