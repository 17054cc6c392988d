"""How a password comes to the checks, and to whom it goes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checks_certificates import NAME, Authority
from checks_imitations import hardened
from checks_site import Answers, Site, say

from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit

Serve = Callable[..., Site]
CANARY = "canary-password-of-somebody"
LOGIN = "/_pb/api/collections/users/auth-with-password"
TOOL = [sys.executable, "-m", "tinykit_ops"]
SECONDS = 60


def answers() -> Answers:
    return {**hardened(), LOGIN: say(200, json.dumps({"token": "a.b.c", "record": {"id": "u1"}}))}


def at_a_terminal(words: list[str], typed: str) -> tuple[int, str]:
    """Run the command at a terminal where somebody types when asked.

    Returns its exit code and all that the terminal showed.
    """
    ours, theirs = pty.openpty()
    # getpass asks the controlling terminal.
    words = ["setsid", "--ctty", "--wait", *words]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown, asked, end = b"", False, time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        shown += piece
        if not asked and b"not shown" in shown:
            asked = True
            os.write(ours, typed.encode())
    os.close(ours)
    return process.wait(SECONDS), shown.decode()


def test_a_password_is_asked_for_and_not_shown(serve: Serve) -> None:
    site = serve(answers())
    words = ["check", f"http://127.0.0.1:{site.port}", "--account=you@example.com"]
    only = "--only=authentication.login-works"
    code, shown = at_a_terminal([*TOOL, *words, only], f"{CANARY}\n")
    assert "Password of you@example.com" in shown
    assert code == Exit.OK, shown
    (sent,) = [each for each in site.requests if each.path == LOGIN]
    assert json.loads(sent.body) == {"identity": "you@example.com", "password": CANARY}
    assert CANARY not in shown


def test_no_password_is_a_plain_refusal_before_anything_is_asked(serve: Serve) -> None:
    site = serve(answers())
    words = ["check", f"http://127.0.0.1:{site.port}", "--superuser=root@example.com"]
    code, shown = at_a_terminal([*TOOL, *words], "\n")
    assert code == Exit.USAGE
    assert "No password was given" in shown
    assert site.requests == []


def test_without_a_terminal_nobody_is_asked(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        code = run(["check", f"http://127.0.0.1:{serve(answers()).port}", "--account=a@b.co"])
    assert code == Exit.USAGE
    assert re.search(r"Nobody can be asked.*\n.*a@b\.co", capsys.readouterr().err)


def test_no_password_goes_to_who_shows_a_bad_certificate(
    serve: Serve,
    authority: Authority,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for prefix in (ACCOUNT, SUPERUSER):
        monkeypatch.setenv(f"{prefix}_EMAIL", "you@example.com")
        monkeypatch.setenv(f"{prefix}_PASSWORD", CANARY)
    site = serve(answers(), tls=authority.context("other.example.test"))
    words = [
        "check",
        f"https://{NAME}:{site.port}",
        f"--resolve={NAME}:{site.port}:127.0.0.1",
        f"--ca-file={authority.ca_file}",
        "--only=account",
        "--only=superuser",
    ]
    assert run(words) == Exit.COULD_NOT_SEE
    assert site.requests
    assert all(CANARY.encode() not in each.body for each in site.requests)
    said = capsys.readouterr().out
    assert "no password was sent, because the certificate is not valid" in said
    assert "\n0 passed" in said
