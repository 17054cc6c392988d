"""Looking for an old secret: it is found wherever it could be left, and nowhere else."""

import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest

from tinykit_ops.rotate import proof
from tinykit_ops.rotate.proof import places_of

VALUE = 'an-old "secret"/ä-4711'


@pytest.fixture(autouse=True)
def quiet_journal(monkeypatch):
    monkeypatch.setattr(proof, "_in_journal", lambda _: False)


@pytest.mark.parametrize(
    "content",
    [
        VALUE.encode(),
        json.dumps({"key": VALUE}).encode(),
        f"https://x/?key={quote(VALUE)}".encode(),
        b"\0SQLite\0" + VALUE.encode() + b"\0\xff" * 50,
    ],
    ids=["plain", "json", "address", "binary"],
)
def test_a_file_that_holds_it_is_named(tmp_path, content):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(content)
    (tmp_path / "other").write_text("an-old secret")
    found = places_of(VALUE, folders=[str(tmp_path)], proc=tmp_path / "none")
    assert found == [f"file {tmp_path}/deep/er/file"]


def test_files_that_may_hold_it_are_left_out_and_pipes_are_not_waited_for(tmp_path):
    (tmp_path / "kept").write_text(VALUE)
    os.mkfifo(tmp_path / "pipe")
    folders = [str(tmp_path), str(tmp_path / "missing")]
    assert places_of(VALUE, folders=folders, but=[tmp_path / "kept"], proc=tmp_path / "none") == []


def test_a_process_that_was_started_with_it_is_named(tmp_path):
    environment = {**os.environ, "OLD_KEY": VALUE}
    words = [sys.executable, "-c", "print(1, flush=True); input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, env=environment, **pipes) as process:
        process.stdout.readline()
        found = places_of(VALUE, folders=[])
        process.communicate(b"\n")
    assert [place for place in found if f"environ of process {process.pid} " in place]


def test_looking_for_it_puts_it_into_no_argument_and_no_file(tmp_path, monkeypatch):
    real, seen = subprocess.run, []

    def run(words, **more):
        seen.append((words, more.get("env")))
        return real(words, **more)

    monkeypatch.setattr(proof.subprocess, "run", run)
    places_of(VALUE, folders=[str(tmp_path)], proc=tmp_path / "none")
    assert seen
    assert VALUE not in str(seen)
