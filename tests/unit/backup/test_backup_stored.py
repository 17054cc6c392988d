"""Uploads that a target holds already: nothing an older snapshot needs is ever written over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from archive_kit import Small

from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.errors import DamagedError, NotStoredError, TargetUnreachableError
from tinykit_ops.backup.manifest import Index, index_key
from tinykit_ops.backup.targets import Readable


class Failing:
    """The same target, whose indexes cannot be had."""

    def __init__(self, target: Any, indexes: list[Index], error: Exception) -> None:
        self._target = target
        self._keys = [index_key(index.id) for index in indexes]
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    @contextmanager
    def get(self, key: str) -> Iterator[Readable]:
        if key in self._keys:
            raise self._error
        with self._target.get(key) as stream:
            yield stream


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "clear"])
@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 2}'], ids=["empty", "other", "newer"])
def test_a_backup_beside_an_index_that_cannot_be_read_leaves_every_older_snapshot_whole(
    tmp_path: Path, content: bytes, sealed: bool
) -> None:
    small = Small(tmp_path, sealed=sealed)
    first = small.backup()
    small.upload("c1/r2/b.txt", b"only the second one names it")
    second = small.backup()
    papers = (small.folder / index_key(second.id)).read_bytes()
    (small.folder / index_key(second.id)).write_bytes(content)

    third, fourth = small.backup(), small.backup()

    (small.folder / index_key(second.id)).write_bytes(papers)  # it was only out of our sight
    assert [small.verify(one).faults for one in (first, second, third, fourth)] == [[]] * 4
    assert fourth.uploads == third.uploads  # what was sent beside it is found from then on
    assert {one.key for one in first.uploads} < {one.key for one in third.uploads}


def test_a_target_that_fails_while_indexes_are_read_fails_the_backup_and_harms_no_snapshot(
    tmp_path: Path,
) -> None:
    small = Small(tmp_path)
    older = [small.backup(), small.backup()]

    with pytest.raises(TargetUnreachableError, match="503"):
        small.backup(Failing(small.target, older, TargetUnreachableError("503 SlowDown")))

    assert [small.verify(one).faults for one in older] == [[], []]
    assert small.backup().uploads == older[0].uploads


def test_an_index_that_is_pruned_while_a_backup_looks_is_no_failure(tmp_path: Path) -> None:
    small = Small(tmp_path)
    older = [small.backup(), small.backup()]

    newer = small.backup(Failing(small.target, older, NotStoredError("no such object")))

    assert [small.verify(one).faults for one in (*older, newer)] == [[]] * 3


def test_an_index_of_brackets_without_end_is_damaged(tmp_path: Path) -> None:
    small = Small(tmp_path)
    first = small.backup()
    (small.folder / index_key(first.id)).write_bytes(b"[" * (64 << 10))
    with pytest.raises(DamagedError, match="damaged"):
        read_index(small.target, first.id)
