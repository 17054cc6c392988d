"""Hooks tell the truth, keep their addresses to themselves, and never stop a backup."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import notify
from tinykit_ops.backup.errors import BackupBusyError, TargetError
from tinykit_ops.backup.notify import Notifier
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.settings import load_settings

CANARY = "canary-5c1e"
RUN = "0f7c8f5e-7a51-4b8e-9d0e-111111111111"
GOOD = Outcome("disk", snapshot="20261123T000000Z-abcdef", seconds=3)
BAD = Outcome("offsite", error=TargetError("The bucket is gone", hint="make it"))


class Hooks:
    """A server that remembers what it was asked."""

    def __init__(self, code: int = 200) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hooks.asked.append((self.command, self.path, body))
                self.send_response(code)
                self.send_header("Location", "/elsewhere")
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


def notifier(folder: Path, sendmail: Path | None = None, **urls: str) -> Notifier:
    """Hooks of these addresses; `mail` is the address of a person, `mail_on` when."""
    wanted: dict[str, Any] = {}
    for name, text in urls.items():
        if name in ("email", "email_on"):
            wanted[name] = text
            continue
        secret = folder / f"backup-notify-{name}-url"
        secret.touch(mode=0o600)
        secret.write_text(text)
        wanted[f"{name}_url"] = {"file": str(secret)}
    settings = load_settings(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"archive": "app.tar.zst"},
            "backup": {"notify": wanted},
        },
        where="web1",
    )
    return Notifier(AgentConfig(settings, folder), RUN, sendmail or folder / "no-sendmail")


def test_start_success_and_failure_are_pinged_as_healthchecks_wants_it(
    tmp_path: Path, hooks: Hooks
) -> None:
    one = notifier(tmp_path, ping=f"{hooks.url}/{CANARY}")
    one.started()
    one.finished([GOOD])
    one.finished([GOOD, BAD])
    assert [path for _, path, _ in hooks.asked] == [
        f"/{CANARY}/start?rid={RUN}",
        f"/{CANARY}?rid={RUN}",
        f"/{CANARY}/fail?rid={RUN}",
    ]
    assert b"offsite: FAILED: The bucket is gone" in hooks.asked[2][2]
    assert one.failures == []


def test_the_webhook_gets_json(tmp_path: Path, hooks: Hooks) -> None:
    notifier(tmp_path, webhook=f"{hooks.url}/hook?key={CANARY}").finished([GOOD, BAD])
    ((method, path, body),) = hooks.asked
    told = json.loads(body)
    assert (method, path) == ("POST", f"/hook?key={CANARY}")
    assert (told["event"], told["run"], told["domains"]) == ("failure", RUN, ["apps.example.com"])
    assert [one["ok"] for one in told["targets"]] == [True, False]
    assert CANARY not in body.decode()


def test_a_run_that_was_turned_away_is_a_failure(tmp_path: Path, hooks: Hooks) -> None:
    busy = BackupBusyError("A backup is running already (process 7)")
    notifier(tmp_path, ping=f"{hooks.url}/x").finished([Outcome("disk")], busy)
    assert hooks.asked[0][1].startswith("/x/fail")
    assert b"running already" in hooks.asked[0][2]


@pytest.mark.parametrize("code", [302, 404, 500])
def test_another_answer_than_2xx_is_a_line_without_the_address(tmp_path: Path, code: int) -> None:
    server = Hooks(code)
    one = notifier(tmp_path, ping=f"{server.url}/{CANARY}", webhook=f"{server.url}/{CANARY}")
    one.finished([GOOD])
    server.server.shutdown()
    server.server.server_close()
    assert len(one.failures) == 2 and len(server.asked) == 2  # the redirect was not followed
    assert CANARY not in "".join(one.failures)


def test_a_server_that_is_not_there_or_never_answers_costs_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = notifier(tmp_path, ping="http://127.0.0.1:1/")
    nobody.finished([GOOD])
    assert nobody.failures == ["the ping hook failed (ConnectionError)"]
    monkeypatch.setattr(notify, "HOOK_SECONDS", 0.2)
    silent = socket.create_server(("127.0.0.1", 0))  # takes the connection, says nothing
    url = f"http://127.0.0.1:{silent.getsockname()[1]}/{CANARY}"
    one = notifier(tmp_path, webhook=url)
    one.finished([GOOD])
    silent.close()
    assert "webhook hook did not end" in one.failures[0]
    assert CANARY not in "".join(one.failures)


def test_a_missing_secret_is_a_line_too(tmp_path: Path, hooks: Hooks) -> None:
    one = notifier(tmp_path, ping=f"{hooks.url}/x")
    (tmp_path / "backup-notify-ping-url").unlink()
    one.started()
    assert one.failures == ["the ping/start hook failed (UsageError)"]


def test_the_mailer_of_the_host_gets_the_whole_message_on_stdin(tmp_path: Path) -> None:
    mailer = tmp_path / "sendmail"
    mailer.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/argv\ncat > {tmp_path}/mail\n')
    mailer.chmod(0o755)
    one = notifier(tmp_path, mailer, email="ops@example.com")
    one.finished([GOOD])
    assert not (tmp_path / "mail").exists()  # only failures, unless asked for all
    one.finished([GOOD, BAD])
    mail = (tmp_path / "mail").read_text()
    assert "To: ops@example.com" in mail
    assert "Subject: Backup of apps.example.com FAILED" in mail
    assert "offsite: FAILED: The bucket is gone" in mail
    assert (tmp_path / "argv").read_text().strip() == "-t -i"
    assert one.failures == []


def test_a_host_without_a_mailer_says_so(tmp_path: Path) -> None:
    one = notifier(tmp_path, email="ops@example.com", email_on="always")
    one.finished([GOOD])
    assert one.failures == ["the e-mail hook failed (FileNotFoundError)"]
