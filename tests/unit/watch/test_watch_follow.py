"""A log is read once and whole, whatever rotation does to it between two looks."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest

from tinykit_ops.watch import follow
from tinykit_ops.watch.follow import Follower, Position


class Log:
    """A log that is written and followed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.log"
        self.position = Position()
        self.gap = False
        self.number = 0

    def write(self, lines: int, ending: str = "\n") -> list[bytes]:
        written = [f"line {self.number + one} {'x' * 40}" for one in range(lines)]
        self.number += lines
        with self.path.open("a") as file:
            file.write("\n".join(written) + ending)
        return [line.encode() for line in written]

    def read(self) -> list[bytes]:
        follower = Follower(self.path, self.position.model_copy())
        lines = list(follower.lines())
        self.position, self.gap = follower.position, follower.gap
        return lines


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def compress(path: Path) -> None:
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def test_only_new_lines_are_read_the_next_time(log: Log) -> None:
    first = log.write(20)
    assert log.read() == first
    assert log.read() == []
    assert log.read() == []
    second = log.write(3)
    assert log.read() == second


def test_a_half_line_waits_until_it_is_whole(log: Log) -> None:
    log.write(1, ending="\nhalf")
    assert len(log.read()) == 1
    with log.path.open("a") as file:
        file.write(" of it\n")
    assert log.read() == [b"half of it"]


@pytest.mark.parametrize(
    "names", [["access.log.1", "access.log.2"], ["access-b.log", "access-a.log"]]
)
@pytest.mark.parametrize("squeezed", [False, True])
def test_the_rest_of_files_that_were_rolled_away_is_read_first(
    log: Log, names: list[str], squeezed: bool
) -> None:
    log.write(30)
    log.read()
    newest, older = (log.path.with_name(name) for name in names)
    written = log.write(5)
    log.path.rename(older)
    written += log.write(6)
    log.path.rename(newest)
    written += log.write(7)
    if squeezed:
        compress(older)
    assert log.read() == written
    assert not log.gap


def test_a_file_that_is_being_compressed_is_read_once(log: Log) -> None:
    log.write(30)
    log.read()
    rest = log.write(4)
    rolled = log.path.with_name("access.log.1")
    log.path.rename(rolled)
    rolled.with_name("access.log.1.gz").write_bytes(gzip.compress(rolled.read_bytes())[:20])
    assert log.read() == rest


def test_a_log_that_was_emptied_is_read_from_its_beginning_and_called_a_gap(log: Log) -> None:
    log.write(30)
    log.read()
    log.path.write_bytes(b"")
    written = log.write(2)
    assert log.read() == written
    assert log.gap


def test_a_log_that_vanished_is_no_error_and_its_successor_is_read(log: Log) -> None:
    log.write(30)
    log.read()
    log.path.unlink()
    assert log.read() == []
    assert log.gap
    assert log.read() == []
    written = log.write(2)
    assert log.read() == written
    assert not log.gap


def test_a_damaged_archive_is_a_gap_and_the_log_is_read_on(log: Log) -> None:
    log.write(3000)
    log.read()
    log.write(3000)
    rolled = log.path.with_name("access.log.1")
    log.path.rename(rolled)
    compress(rolled)
    archive = log.path.with_name("access.log.1.gz")
    archive.write_bytes(archive.read_bytes()[:-50])
    written = log.write(2)
    assert log.read()[-2:] == written
    assert log.gap


def test_a_line_without_an_end_is_not_kept_in_memory(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "CHUNK", 64)
    monkeypatch.setattr(follow, "LONGEST", 256)
    log.path.write_bytes(b"first\n" + b"y" * 5000 + b"\nlast\n")
    assert log.read() == [b"first", b"last"]
    assert log.position.offset == log.path.stat().st_size


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_or_read_twice_in_any_order_of_events(log: Log, seed: int) -> None:
    chance = random.Random(seed)
    written = log.write(1)
    seen = log.read()
    for number in range(60):
        match chance.randrange(4):
            case 0:
                written += log.write(chance.randrange(1, 30))
            case 1 if log.path.exists():
                log.path.rename(log.path.with_name(f"access-{number:04}.log"))
                # Both proxies open the new file at once; a look between has nothing to read.
                written += log.write(1)
            case 2:
                for path in sorted(log.path.parent.glob("access-*.log")):
                    compress(path)
            case _:
                seen += log.read()
    seen += log.read()
    assert seen == written


@pytest.mark.parametrize("name", ["access.log", "access-1.log", "access-1.log.gz"])
def test_a_pipe_or_a_link_that_somebody_planted_is_not_opened(log: Log, name: str) -> None:
    written = log.write(3)
    assert log.read() == written
    log.path.unlink()
    for plant in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        planted = log.path.with_name(name)
        plant(planted)
        assert log.read() == []
        planted.unlink()
