"""Every panel of the dashboard and every rule is about something that is really there.

A real Prometheus scrapes a real node-exporter with the files that our code writes, a real Caddy and
a real nginx with its exporter, and is asked what the dashboard's JSON asks.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from live_prometheus import Prometheus, fetch, start
from ports import free_port
from waiting import PATIENCE, until

from tinykit_ops.artifacts import local_binary
from tinykit_ops.backup import metrics as backup_metrics
from tinykit_ops.backup.status import BackupStatus, TargetStatus
from tinykit_ops.checks.runner import InstanceReport, Report
from tinykit_ops.cli.monitoring import command
from tinykit_ops.monitoring.prometheus import EDGE_JOB, JOB
from tinykit_ops.report import prometheus as check_metrics
from tinykit_ops.watch import metrics as watch_metrics
from tinykit_ops.watch.metrics import Seen
from tinykit_ops.watch.problems import Watched
from tinykit_ops.watch.state import State
from tinykit_ops.watch.traffic import Slice

#: Of Prometheus itself.
OWN = {"up"}
NGINX = """
worker_processes 1; pid {folder}/nginx.pid; daemon off; error_log stderr;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/t; proxy_temp_path {folder}/t;
    fastcgi_temp_path {folder}/t; uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
    server {{ listen 127.0.0.1:{port}; location = /stub_status {{ stub_status; }} }}
}}
"""


def write_texts(folder: Path, requests: int) -> None:
    """What our code writes for node-exporter, on a host that has had so many requests."""
    now = datetime.now(UTC)
    target = TargetStatus(
        first_success=now, last_success=now, last_verified=now, data_bytes=5, seconds=3.0
    )
    backup_metrics.write_metrics(BackupStatus(targets={"main": target}), folder)
    report = Report((InstanceReport("tk-1", ()),))
    (folder / "tinykit_check.prom").write_text(check_metrics.render(report))
    state = State(
        looked=now.timestamp(),
        totals=Slice(start=0, requests=requests, errors=requests // 9, slow={20: requests}),
        shown={"apps.example.com": (now.timestamp(), (now + timedelta(days=80)).timestamp())},
        watched={"memory": Watched(since=1.0)},
        owed={"ntfy": []},
    )
    seen = Seen({"tinykit": ""}, {"tinykit": "617db3416af2"}, now.timestamp())
    (folder / "tinykit_watch.prom").write_text(watch_metrics.render(state, seen))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    texts = folder / "texts"
    texts.mkdir()
    write_texts(texts, 100)
    with ExitStack() as stack:

        def run(port: int, *words: str | Path) -> str:
            stack.callback(_end, start(words, folder, port))
            return f"127.0.0.1:{port}"

        node, caddy, nginx, exporter, own = (free_port() for _ in range(5))
        (folder / "Caddyfile").write_text(
            f"{{\n\tadmin off\n\tmetrics\n}}\nhttp://127.0.0.1:{caddy} {{\n\tmetrics /metrics\n}}\n"
        )
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=nginx))
        listen = "--web.listen-address=127.0.0.1:{}"
        nodes = run(
            node,
            "prometheus-node-exporter",
            listen.format(node),
            f"--collector.textfile.directory={texts}",
        )
        run(nginx, "/usr/sbin/nginx", "-e", "stderr", "-c", folder / "nginx.conf")
        uri = f"--nginx.scrape-uri=http://127.0.0.1:{nginx}/stub_status"
        edges = [
            run(caddy, local_binary("caddy"), "run", "--config", "Caddyfile"),
            run(exporter, "prometheus-nginx-exporter", listen.format(exporter), uri),
        ]
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": targets}]}
                for job, targets in {JOB: [nodes], EDGE_JOB: edges}.items()
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        store = f"--storage.tsdb.path={folder}/store"
        run(own, "prometheus", "--config.file=prometheus.yml", store, listen.format(own))
        server = Prometheus(own)
        _wait_for(server, "min(up)")
        # Or the first number is never seen, and the next one is no increase.
        _wait_for(server, "tinykit_edge_requests_total")
        write_texts(texts, 1000)
        # Its own requests are those that Caddy and nginx count.
        _wait_for(server, "increase(tinykit_edge_requests_total[1m]) > 0")
        _wait_for(server, "rate(caddy_http_request_duration_seconds_count[1m]) > 0")
        yield server


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)


def _wait_for(server: Prometheus, expression: str) -> None:
    def is_there() -> bool:
        return any(float(one["value"][1]) > 0 for one in server.query(expression))

    until(is_there, expression, pause=0.5)


def printed(*words: str) -> str:
    done = CliRunner().invoke(command, words, standalone_mode=False, catch_exceptions=False)
    return done.output


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed("dashboard"))["panels"]
    return [one for one in found if one["type"] != "row"]


def _filled(expression: str) -> str:
    return expression.replace("$__rate_interval", "1m").replace("$instance", ".*")


def test_every_panel_of_the_dashboard_shows_something(prometheus: Prometheus) -> None:
    for panel in panels():
        for target in panel["targets"]:
            # Each exporter is scraped when its turn comes, and a rate wants two of its numbers.
            shows = partial(prometheus.query, _filled(target["expr"]))
            until(shows, f"{panel['title']}: {target['expr']}", pause=0.5)
    assert len(panels()) >= 18


def test_every_legend_names_labels_that_the_series_have(prometheus: Prometheus) -> None:
    for panel in panels():
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                series = prometheus.query(_filled(target["expr"]))
                assert all(label in one["metric"] for one in series), (panel["title"], label)


def test_the_rules_and_the_dashboard_name_only_metrics_that_somebody_writes(
    prometheus: Prometheus,
) -> None:
    text = printed("rules") + "\n".join(
        target["expr"] for panel in panels() for target in panel["targets"]
    )
    named = set(re.findall(r"\b(?:tinykit|node|nginx|caddy)_[a-z0-9_A-Z]+", text)) | OWN
    assert len(named) >= 25
    assert named - prometheus.metric_names() == set()


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(printed("dashboard"))["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_node_exporter_takes_our_text_files_without_an_error(prometheus: Prometheus) -> None:
    (failed,) = prometheus.query("node_textfile_scrape_error")
    assert failed["value"][1] == "0"
    assert fetch(f"{prometheus.url}/-/healthy")
