"""The nightly look: what it keeps, whom it tells, and that nothing new is lost."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.checks.history import read_history
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.checks.model import Verdict, failed, passed, unknown
from tinykit_ops.checks.registry import check_named
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.checks.schedule import look_as_scheduled
from tinykit_ops.errors import Exit, UnavailableError, UsageError
from tinykit_ops.settings import load_settings

CANARY = "canary-7d21"
WAIVER = """
[[waiver]]
id = "backups.fresh"
scope = "apps.example.com"
reason = "Moved on Monday"
until = 2999-01-01
"""


class Hooks:
    """A server that remembers what it was asked, and answers as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.code = 200
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hooks.asked.append((self.path, body))
                self.send_response(hooks.code)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    one = Hooks()
    yield one
    one.server.shutdown()
    one.server.server_close()


class Host:
    """A host with its hooks, and what its nightly look would see."""

    def __init__(self, folder: Path, hooks: Hooks, **checks: Any) -> None:
        self.places = CheckPlaces(
            folder / "state" / "checks", folder / "metrics", folder / "waivers.toml"
        )
        self.places.metrics.mkdir()
        self.hooks = hooks
        self.lines: list[str] = []
        names = {"checks-ping-url": "ping", "backup-notify-webhook-url": "webhook"}
        for name, path in names.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(f"{hooks.url}/{path}/{CANARY}")
        settings = load_settings(
            {
                "domains": ["apps.example.com"],
                "admin_email": "you@example.com",
                "app": {"archive": "app.tar.zst"},
                "backup": {"notify": {"webhook_url": {"file": str(folder / "webhook")}}},
                "checks": {"ping_url": {"file": str(folder / "ping")}, **checks},
            },
            where="tk-1",
        )
        self.config = AgentConfig(settings, folder)

    def night(self, **verdicts: Verdict) -> Report:
        """One look; `backups_fresh=failed(…)` is what the check backups.fresh says."""
        ids = {name.replace("_", ".", 1).replace("_", "-"): said for name, said in verdicts.items()}
        results = tuple(Result(check_named(each), said) for each, said in ids.items())
        report = Report((InstanceReport("tk-1", results),))
        return look_as_scheduled(self.config, lambda: report, self.places, self.lines.append)

    def told(self) -> list[dict[str, Any]]:
        """What the webhook was told since the last time."""
        bodies = [json.loads(body) for path, body in self.hooks.asked if "webhook" in path]
        self.pinged = [path.replace(CANARY, "") for path, _ in self.hooks.asked if "ping" in path]
        self.hooks.asked.clear()
        return bodies


@pytest.fixture
def host(tmp_path: Path, hooks: Hooks) -> Host:
    return Host(tmp_path, hooks)


BAD, GOOD, DARK = failed("no snapshot"), passed("one snapshot"), unknown("no status")


def failing(told: dict[str, Any]) -> list[str]:
    return [row["name"] for row in told["targets"] if not row["ok"]]


def test_something_new_is_told_once(host: Host) -> None:
    assert host.night(backups_fresh=BAD).exit_code == Exit.FINDINGS
    (first,) = host.told()
    assert (first["event"], first["job"]) == ("failure", "check")
    assert failing(first) == ["backups.fresh"]
    assert any(path.startswith("/ping//fail") for path in host.pinged)
    host.night(backups_fresh=BAD)
    (second,) = host.told()
    assert (second["event"], failing(second)) == ("success", [])
    assert not any("fail" in path for path in host.pinged)


def test_what_is_fixed_is_told_too(host: Host) -> None:
    host.night(backups_fresh=BAD)
    host.told()
    host.night(backups_fresh=GOOD)
    (told,) = host.told()
    assert told["event"] == "success"
    assert "backups.fresh: fixed" in told["summary"]


def test_what_cannot_be_seen_any_more_is_an_alarm(host: Host) -> None:
    host.night(backups_fresh=GOOD)
    host.told()
    host.night(backups_fresh=DARK)
    (told,) = host.told()
    assert failing(told) == ["backups.fresh"]


def test_what_no_hook_could_tell_is_told_the_next_night(host: Host) -> None:
    host.hooks.code = 500
    host.night(backups_fresh=BAD)
    assert any("warning: the webhook hook failed" in line for line in host.lines)
    assert CANARY not in "".join(host.lines)
    host.told()
    host.hooks.code = 200
    host.night(backups_fresh=BAD)
    (told,) = host.told()
    assert failing(told) == ["backups.fresh"]
    host.night(backups_fresh=BAD)
    assert failing(host.told()[0]) == []


def test_what_was_not_told_and_is_fixed_meanwhile_is_no_alarm(host: Host) -> None:
    host.hooks.code = 500
    host.night(backups_fresh=BAD)
    host.told()
    host.hooks.code = 200
    host.night(backups_fresh=GOOD)
    assert host.told()[0]["event"] == "success"


def test_below_the_wanted_severity_nothing_is_an_alarm_but_history_has_it(
    tmp_path: Path, hooks: Hooks
) -> None:
    host = Host(tmp_path, hooks, alert_on="critical")
    host.night(backups_fresh=BAD)
    assert host.told()[0]["event"] == "success"
    assert read_history(host.places.history).nights[-1].new == ("backups.fresh",)


def test_a_look_that_breaks_is_an_alarm_and_keeps_what_was_known(host: Host) -> None:
    host.night(backups_fresh=GOOD)
    before = host.places.last.read_text()
    host.told()

    def broken() -> Report:
        raise UnavailableError("The disk is full")

    with pytest.raises(UnavailableError):
        look_as_scheduled(host.config, broken, host.places, host.lines.append)
    (told,) = host.told()
    assert (told["event"], told["summary"]) == ("failure", ["The disk is full"])
    assert host.places.last.read_text() == before


def test_waivers_of_the_host_are_used_and_wrong_ones_are_an_alarm(host: Host) -> None:
    host.places.waivers.write_text(WAIVER)
    assert host.night(backups_fresh=BAD).exit_code == Exit.OK
    assert host.told()[0]["event"] == "success"
    host.places.waivers.write_text(WAIVER.replace("backups.fresh", "no.such"))
    with pytest.raises(UsageError):
        host.night(backups_fresh=BAD)
    assert host.told()[0]["event"] == "failure"


def test_a_damaged_last_report_makes_everything_new_and_is_said(host: Host) -> None:
    host.night(backups_fresh=BAD)
    host.told()
    host.places.last.write_text("{")
    host.night(backups_fresh=BAD)
    assert failing(host.told()[0]) == ["backups.fresh"]
    assert any("everything wrong counts as new" in line for line in host.lines)
    host.night(backups_fresh=BAD)
    assert failing(host.told()[0]) == []


def test_what_it_keeps_is_roots_alone_and_metrics_are_for_their_reader(host: Host) -> None:
    host.night(backups_fresh=BAD, versions_agent=failed(f"evidence with {CANARY}"))
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (host.places.state, host.places.last, host.places.history)
    }
    assert modes == {"checks": 0o700, "last.json": 0o600, "history.jsonl": 0o600}
    metrics = host.places.metrics / "tinykit_check.prom"
    assert stat.S_IMODE(metrics.stat().st_mode) == 0o644
    assert 'tinykit_check_results{target="tk-1",outcome="fail"} 2' in metrics.read_text()
    assert CANARY not in metrics.read_text() + host.places.history.read_text()


def test_without_node_exporters_folder_there_are_no_metrics_and_no_fault(host: Host) -> None:
    host.places.metrics.rmdir()
    assert host.night(backups_fresh=GOOD).exit_code == Exit.OK
    assert not host.places.metrics.exists()


def test_evidence_is_in_no_message_of_a_hook(host: Host) -> None:
    host.night(backups_fresh=failed(f"seen: {CANARY}"))
    assert CANARY not in "".join(body.decode() for _, body in host.hooks.asked)
