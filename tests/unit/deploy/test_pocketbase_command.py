"""The `pocketbase` command of a host, run by a real shell with a stand-in for systemctl."""

import subprocess

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render


@pytest.fixture
def pocketbase(tmp_path, monkeypatch):
    """pocketbase(state, *words) → (exit code, what the program was called with, stderr)."""
    tools = tmp_path / "bin"
    tools.mkdir()
    program = tools / "real"
    monkeypatch.setattr(layout, "POCKETBASE_BINARY", str(program))
    who = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setattr(layout, "POCKETBASE_USER", who)
    script = render("pocketbase/pocketbase.sh.j2")

    def run(state, *words):
        for path, text in {
            program: 'echo "$@"',
            tools / "systemctl": f"echo {state}; exit 3",
        }.items():
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        done = subprocess.run(
            ["sh", "-c", script, "pocketbase", *words],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": f"{tools}:/usr/bin:/bin"},
        )
        return done.returncode, done.stdout.split(), done.stderr

    return run


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ((), "--help"),
        (("help",), "--help"),
        (("version",), "--version"),
        (("--version",), "--version"),
        (("-h",), "-h"),
    ],
)
def test_what_opens_no_database_runs_beside_a_server(pocketbase, words, flag):
    code, called, _ = pocketbase("active", *words)
    assert (code, called[-1]) == (0, flag)


def test_help_for_a_command_is_asked_for_by_its_flag(pocketbase):
    code, called, _ = pocketbase("active", "help", "superuser")
    assert (code, called[-2:]) == (0, ["superuser", "--help"])


@pytest.mark.parametrize("state", ["active", "activating", "deactivating", "reloading", ""])
@pytest.mark.parametrize("words", [("superuser", "upsert", "a@b.c", "x"), ("serve",)])
def test_nothing_opens_the_database_of_a_server_that_runs_starts_or_stops(pocketbase, state, words):
    code, called, said = pocketbase(state, *words)
    assert (code, called) == (75, [])
    assert f"'{words[0]}' would open its database" in said
    assert "systemctl stop pocketbase" in said


@pytest.mark.parametrize("state", ["inactive", "failed"])
def test_with_a_stopped_server_every_command_runs_with_the_hosts_folders(pocketbase, state):
    code, called, _ = pocketbase(state, "superuser", "list")
    assert code == 0
    assert called[:2] == ["--dir", layout.POCKETBASE_DATA]
    assert called[-2:] == ["superuser", "list"]
