"""One at a time on a host, and a line for everything that changed it."""

import fcntl
import json
import os
import signal
import subprocess
import sys

import pytest

from tinykit_ops import layout
from tinykit_ops.errors import BusyError, StorageError, UsageError
from tinykit_ops.host import audit, flock, run_lock


@pytest.fixture
def places(tmp_path, monkeypatch):
    """(lock, log) of a host in a folder."""
    monkeypatch.setattr(layout, "AUDIT_LOCK", str(tmp_path / "audit"))
    monkeypatch.setattr(layout, "AUDIT_BYTES", 400)
    return tmp_path / "run", tmp_path / "log" / "audit.jsonl"


def test_a_command_is_written_down_with_who_and_how_it_ended(places, monkeypatch):
    monkeypatch.setenv("TINYKIT_OPS_WHO", "me@laptop")
    lock, log = places
    with run_lock.changing("users add", *places):
        assert audit.read(log)[0][0].result == audit.UNFINISHED
    ((entry,), damaged) = audit.read(log)
    assert (entry.who, entry.what, entry.result, damaged) == ("me@laptop", "users add", "ok", 0)
    assert entry.ended
    assert run_lock.holder(lock) is None
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_second_command_is_refused_with_who_is_at_it(places):
    with run_lock.changing("backup restore", *places):
        told = pytest.raises(BusyError, match="backup restore, since 20")
        with told, run_lock.changing("users add", *places):
            pytest.fail("two at a time")
        assert run_lock.holder(places[0])["what"] == "backup restore"
    assert [entry.result for entry in audit.read(places[1])[0]] == ["ok", "refused"]


def test_who_only_looks_at_the_lock_keeps_nobody_away(places, monkeypatch):
    lock, log = places
    with lock.open("w") as look:
        fcntl.flock(look, fcntl.LOCK_EX)
        waited = []

        def sleep(seconds):
            waited.append(seconds)
            fcntl.flock(look, fcntl.LOCK_UN)

        monkeypatch.setattr(flock.time, "sleep", sleep)
        with run_lock.changing("users add", *places):
            assert len(waited) == 1
    assert [entry.result for entry in audit.read(log)[0]] == ["ok"]


def test_a_command_that_fails_says_why_and_frees_the_lock(places):
    with pytest.raises(UsageError), run_lock.changing("users add", *places):
        raise UsageError("there is such an account")
    ((entry,), _) = audit.read(places[1])
    assert (entry.result, entry.why) == ("failed", "there is such an account")
    assert run_lock.holder(places[0]) is None


def test_nothing_is_done_that_cannot_be_written_down(places):
    places[1].parent.write_text("no folder")
    told = pytest.raises(StorageError, match="audit log cannot be written")
    with told, run_lock.changing("users add", *places):
        pytest.fail("unseen")


def test_a_long_log_makes_room_and_the_file_before_is_still_read(places):
    for number in range(4):
        with run_lock.changing(f"command {number}", *places):
            pass
    assert places[1].with_name("audit.jsonl.1").exists()
    assert audit.read(places[1])[0][-1].what == "command 3"
    assert places[1].stat().st_size < 1000


def test_damaged_lines_are_counted_and_left_out(places):
    with run_lock.changing("users add", *places):
        pass
    with places[1].open("a") as file:
        file.write('half a li\n[1]\n{"id":"x"}\n')
    entries, damaged = audit.read(places[1])
    assert (len(entries), damaged) == (1, 3)


def test_a_released_lock_is_free_and_only_its_holder_is_ended(places):
    lock, _ = places
    with pytest.raises(UsageError, match="nobody holds"):
        run_lock.release(lock)
    script = (
        "import fcntl,sys,time; f=open(sys.argv[1],'a'); fcntl.flock(f,fcntl.LOCK_EX);"
        "print('held',flush=True); time.sleep(300)"
    )
    words = [sys.executable, "-c", script, str(lock)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        lock.write_text(json.dumps({"who": "a@b", "what": "x", "since": "y", "pid": os.getppid()}))
        with pytest.raises(UsageError, match="not known"):
            run_lock.release(lock)
        lock.write_text(json.dumps({"who": "a@b", "what": "x", "since": "y", "pid": process.pid}))
        assert run_lock.release(lock)["who"] == "a@b"
        process.wait(60)
    assert run_lock.holder(lock) is None


CHANGING = """
import sys, time
from pathlib import Path
from tinykit_ops import layout
from tinykit_ops.host import run_lock
folder = Path(sys.argv[1])
layout.AUDIT_LOCK = str(folder / "audit")
with run_lock.changing("backup restore", folder / "run", folder / "log" / "audit.jsonl"):
    try:
        print("at it", flush=True)
        time.sleep(60)
    finally:
        {undo}
"""
UNDO = """print("undoing", flush=True); sys.stdin.readline(); print("undone", flush=True)"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_told_to_end_undoes_what_it_began(places, tmp_path, sign, second):
    # Whatever this very run was told to ignore, by `nohup` or `&`.
    python = ["env", "--default-signal", sys.executable]
    words = [*python, "-c", CHANGING.format(undo=UNDO), str(tmp_path)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "at it\n"
        process.send_signal(sign)
        assert process.stdout.readline() == "undoing\n"
        process.send_signal(second)  # an impatient second one cuts nothing off
        said, _ = process.communicate("go on\n")
    assert said == "undone\n"
    assert process.returncode == (-sign if sign == signal.SIGINT else 128 + sign)
    assert [entry.result for entry in audit.read(places[1])[0]] == ["interrupted"]
    assert run_lock.holder(places[0]) is None


def test_a_command_that_ignores_a_closed_terminal_goes_on(places, tmp_path):
    words = [sys.executable, "-c", CHANGING.format(undo="pass").replace("60", "0.5")]
    with subprocess.Popen(
        ["nohup", *words, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "at it\n"
        process.send_signal(signal.SIGHUP)
    assert process.returncode == 0
    assert [entry.result for entry in audit.read(places[1])[0]] == ["ok"]


def test_afterwards_signals_do_what_they_did_before(places):
    before = signal.getsignal(signal.SIGTERM)
    with run_lock.changing("users add", *places):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
