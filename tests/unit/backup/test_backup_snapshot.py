"""Asking PocketBase for a copy of its database while it is making another one."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.backup import room, snapshot
from tinykit_ops.backup.errors import BackupBusyError, NoSpaceError, SnapshotError
from tinykit_ops.backup.places import Places
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseRequestError

DONE = {"state": "done", "file": "one.db"}


@dataclass
class Free:
    free: int


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What PocketBase says, one answer a question; a number is the status of a refusal."""
    told: list[Any] = []

    def call(self: PocketBase, *_: str, **__: object) -> Any:
        answer = told.pop(0)
        if isinstance(answer, int):
            raise PocketBaseRequestError("no", where=self.url, hint="", status=answer)
        return answer

    monkeypatch.setattr(PocketBase, "call", call)
    monkeypatch.setattr(snapshot, "POLL_SECONDS", 0)
    return told


@pytest.fixture
def places(tmp_path: Path) -> Places:
    one = Places(data=tmp_path / "data", snapshots=tmp_path / "copies", state=tmp_path / "state")
    for folder in (one.data, one.snapshots, one.work):
        folder.mkdir(parents=True)
    one.database.write_bytes(b"x" * 1000)
    return one


def test_a_copy_that_another_run_asked_for_is_waited_for(
    answers: list[Any], places: Places
) -> None:
    answers += [409, 409, {"id": "x"}, {"state": "running"}, DONE]
    assert snapshot._ask_pocketbase(places, "secret") == places.snapshots / "one.db"
    assert answers == []


def test_the_room_that_another_runs_copy_takes_is_counted(
    answers: list[Any], places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers += [409, {"id": "x"}, DONE]
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: Free(1000))
    with pytest.raises(NoSpaceError, match="for a copy of the database"):
        snapshot._ask_pocketbase(places, "secret")
    assert answers == [{"id": "x"}, DONE]


def test_room_is_looked_for_also_where_the_copy_is_taken_to(
    answers: list[Any], places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Path(tempfile.mkdtemp(dir="/dev/shm"))  # another file system
    monkeypatch.setattr(snapshot, "is_running", lambda _: True)
    full = replace(places, state=small)
    monkeypatch.setattr(
        room.shutil,
        "disk_usage",
        lambda path: Free(0 if Path(path).is_relative_to(small) else 1 << 40),
    )
    try:
        with pytest.raises(NoSpaceError) as refused, snapshot.consistent_copy(full, "secret"):
            pass
    finally:
        shutil.rmtree(small)
    assert refused.value.where == str(full.work)


def test_a_copy_that_does_not_end_is_not_waited_for_for_ever(
    answers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "BUSY_SECONDS", 0)
    answers += [409]
    with pytest.raises(BackupBusyError, match="taking a snapshot already"):
        snapshot._ask_pocketbase(Places(), "secret")


def test_another_refusal_is_told_at_once(answers: list[Any]) -> None:
    answers += [403]
    with pytest.raises(SnapshotError) as refused:
        snapshot._ask_pocketbase(Places(), "secret")
    assert "hook-token" in refused.value.hint
