"""Asking PocketBase for a copy of its database while it is making another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.backup import snapshot
from tinykit_ops.backup.errors import BackupBusyError, SnapshotError
from tinykit_ops.backup.places import Places
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseRequestError

DONE = {"state": "done", "file": "one.db"}


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


def test_a_copy_that_another_run_asked_for_is_waited_for(answers: list[Any]) -> None:
    answers += [409, 409, {"id": "x"}, {"state": "running"}, DONE]
    places = Places(snapshots=Path("/snapshots"))
    assert snapshot._ask_pocketbase(places, "secret") == Path("/snapshots/one.db")
    assert answers == []


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
