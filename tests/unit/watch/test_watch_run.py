"""A look reads the log, tells the channels once, and tries again those that did not answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupBusyError
from tinykit_ops.backup.lock import only_one
from tinykit_ops.errors import UsageError
from tinykit_ops.settings import load_settings
from tinykit_ops.watch import run
from tinykit_ops.watch.problems import Grade, Reading
from tinykit_ops.watch.state import State, WatchPlaces

NOON = datetime(2026, 11, 30, 12).timestamp()
NIGHT = datetime(2026, 11, 30, 23).timestamp()
CANARY = "canary-77aa"


class Receiver:
    """A webhook, an ntfy server and a dead man's switch in one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.refuses: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = self.path.split("?")[0].removesuffix(f"/{CANARY}")
                if path not in receiver.refuses:
                    receiver.asked.append((path, dict(self.headers), body))
                self.send_response(500 if path in receiver.refuses else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str) -> list[bytes]:
        """What came to this path since the last time."""
        found = [body for asked, _, body in self.asked if asked == path]
        self.asked = [one for one in self.asked if one[0] != path]
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


class Host:
    """A host that is looked at."""

    def __init__(self, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places = WatchPlaces(
            folder / "state", folder / "lock", folder / "status.json", folder / "prom" / "w.prom"
        )
        self.log = folder / "access.log"
        self.lines: list[str] = []
        monkeypatch.setattr(run, "log_of", lambda config: self.log)
        url = f"http://127.0.0.1:{receiver.server.server_port}"
        for name, text in {
            "watch-ping-url": f"{url}/ping/{CANARY}",
            "backup-notify-webhook-url": f"{url}/webhook/{CANARY}",
            "backup-notify-ntfy-url": f"{url}/ntfy/{CANARY}",
            "backup-notify-ntfy-token": CANARY,
        }.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text)
        secret = {"file": "x"}
        notify = {"webhook_url": secret, "ntfy_url": secret, "ntfy_token": secret}
        self.config = AgentConfig(_settings(folder, notify), folder)

    def look(self, now: float, *, bad: bool, grade: Grade = Grade.MILD) -> State:
        reading = Reading("disk:/", bad, "5 % free", grade, raise_after=1, clear_after=1)
        return run.look(self.config, self.lines.append, self.places, lambda state: [reading], now)


def _settings(folder: Path, notify: dict[str, Any]) -> Any:
    return load_settings(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"archive": "app.tar.zst"},
            "backup": {"notify": notify},
            "watch": {
                "enabled": True,
                "ping_url": {"file": "x"},
                "quiet_from": 22,
                "quiet_until": 7,
            },
        },
        where="web1",
    )


@pytest.fixture
def host(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, receiver, monkeypatch)


def test_a_problem_and_its_end_reach_every_channel_once(host: Host, receiver: Receiver) -> None:
    for minute, bad in enumerate([False, True, True, False, False]):
        host.look(NOON + 60 * minute, bad=bad)
    events = [json.loads(body)["event"] for body in receiver.take("/webhook")]
    assert events == ["failure", "success"]
    assert [header["Authorization"] for path, header, _ in receiver.asked if path == "/ntfy"] == [
        f"Bearer {CANARY}"
    ] * 2
    first, second = receiver.take("/ntfy")
    assert b"5 % free" in first
    assert b"over after 2 min" in second
    assert len(receiver.take("/ping")) == 5


def test_a_channel_that_does_not_answer_is_tried_again_and_the_other_hears_it_once(
    host: Host, receiver: Receiver
) -> None:
    receiver.refuses = {"/ntfy"}
    host.look(NOON, bad=True)
    host.look(NOON + 60, bad=True)
    assert any("the ntfy hook failed" in line for line in host.lines)
    receiver.refuses = set()
    host.look(NOON + 120, bad=True)
    host.look(NOON + 180, bad=True)
    assert (len(receiver.take("/webhook")), len(receiver.take("/ntfy"))) == (1, 1)
    assert not any(CANARY in line for line in host.lines)


def test_mild_news_waits_for_the_morning_and_critical_news_does_not(
    host: Host, receiver: Receiver
) -> None:
    host.look(NIGHT, bad=True)
    assert receiver.take("/webhook") == []
    host.look(NIGHT + 9 * 3600, bad=True)
    assert len(receiver.take("/webhook")) == 1
    host.look(NIGHT + 9 * 3600 + 60, bad=False)
    receiver.take("/webhook")
    host.look(NIGHT + 24 * 3600, bad=True, grade=Grade.CRITICAL)
    assert len(receiver.take("/webhook")) == 1


def test_failed_answers_in_the_log_become_a_problem_and_it_ends(
    host: Host, receiver: Receiver
) -> None:
    host.look(NOON, bad=False)
    for minute in range(1, 50):
        now = NOON + 60 * minute
        status = 502 if minute <= 20 else 200
        line = {
            "ts": now - 1,
            "request": {"method": "GET", "uri": "/"},
            "status": status,
            "duration": 0.01,
        }
        with host.log.open("a") as file:
            file.write((json.dumps(line) + "\n") * 10)
        host.look(now, bad=False)
    told = [json.loads(body)["summary"][0] for body in receiver.take("/webhook")]
    assert len(told) == 2
    assert "50 of 50 answers failed" in told[0]
    assert told[1].startswith("errors: over after")


def test_a_clock_that_was_ahead_for_one_look_blinds_none_of_those_after_it(
    host: Host, receiver: Receiver
) -> None:
    visit = {"request": {"method": "GET", "uri": "/"}, "status": 200, "duration": 0.01}
    host.log.write_text(json.dumps({"ts": NOON - 900, **visit}) + "\n")
    assert host.look(NOON, bad=False).since < NOON
    assert host.look(NOON + 86_400, bad=False).since > NOON
    for minute in range(1, 20):
        now = NOON + 60 * minute
        request = {"method": "POST", "uri": "/_pb/api/collections/users/auth-with-password"}
        line = {"ts": now - 1, "request": request, "status": 400, "duration": 0.01}
        with host.log.open("a") as file:
            file.write((json.dumps(line) + "\n") * 40)
        host.look(now, bad=False)
    told = [json.loads(body)["summary"][0] for body in receiver.take("/webhook")]
    assert any("refused logins" in one for one in told), told


def test_what_was_counted_only_grows_and_nothing_is_counted_twice(host: Host) -> None:
    counted, written = [], 0
    for minute in range(0, 240, 7):
        now = NOON + 60 * minute
        line = {
            "ts": now - 1,
            "request": {"method": "GET", "uri": "/"},
            "status": 200,
            "duration": 0.5,
        }
        with host.log.open("a") as file:
            file.write((json.dumps(line) + "\n") * 3)
        written += 3
        counted.append(host.look(now, bad=False).totals)
    assert [one.requests for one in counted] == list(range(3, written + 1, 3))
    assert sum(counted[-1].slow.values()) == written
    assert counted[-1].seconds == pytest.approx(0.5 * written)


def test_nobody_is_told_where_only_metrics_are_wanted(host: Host, receiver: Receiver) -> None:
    settings = host.config.settings
    quiet = settings.watch.model_copy(update={"enabled": False})
    host.config = AgentConfig(settings.model_copy(update={"watch": quiet}), host.config.secrets_dir)
    state = host.look(NOON, bad=True)
    assert "disk:/" in state.problems
    assert receiver.asked == []


def test_a_damaged_state_is_said_and_begun_anew(host: Host) -> None:
    host.look(NOON, bad=False)
    host.places.file.write_text("{")
    assert host.look(NOON + 60, bad=False).looked == NOON + 60
    assert any("has to be learnt again" in line for line in host.lines)


def test_two_looks_at_once_are_one(host: Host) -> None:
    with only_one(host.places.lock), pytest.raises(BackupBusyError, match="A look of the watch"):
        host.look(NOON, bad=False)


def test_the_channels_are_tried_and_what_was_not_reached_is_told(
    host: Host, receiver: Receiver
) -> None:
    receiver.refuses = {"/ntfy"}
    assert run.try_channels(host.config) == {"webhook": True, "ntfy": False}
    assert b"this is a test" in receiver.take("/webhook")[0]


def test_trying_without_a_channel_is_an_error_that_says_which_settings_help(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="name nobody to tell"):
        run.try_channels(AgentConfig(_settings(tmp_path, {}), tmp_path))
