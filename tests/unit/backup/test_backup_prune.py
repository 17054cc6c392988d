from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tinykit_ops.backup.errors import DamagedError, TargetAccessError
from tinykit_ops.backup.manifest import Index, Stored, folder, index_key
from tinykit_ops.backup.prune import GRACE, Pruned, prune
from tinykit_ops.backup.targets.directory import DirectoryStore
from tinykit_ops.settings.retention import RetentionSettings
from tinykit_ops.settings.backup_targets import DirectoryTarget

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAST_TWO = RetentionSettings(keep_last=2, daily=0, weekly=0, monthly=0)


@pytest.fixture
def target(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(DirectoryTarget(kind="directory", name="disk", path=str(tmp_path)))


def put(target: DirectoryStore, key: str) -> Stored:
    target.put(key, io.BytesIO(b"x"))
    return Stored(key=key, size=1, sha256="0" * 64)


def snapshot(target: DirectoryStore, age_hours: int, uploads: list[str]) -> str:
    """A snapshot made of one-byte objects. Returns its id."""
    created = NOW - timedelta(hours=age_hours)
    name = f"{created:%Y%m%dT%H%M%SZ}-000000"
    index = Index(
        id=name,
        created=created,
        encrypted=False,
        data_bytes=1,
        manifest=put(target, folder(name) + "manifest.json.zst"),
        parts=[put(target, folder(name) + "data.db.zst")],
        uploads=[put(target, f"uploads/{one}") for one in uploads],
    )
    target.put(index_key(name), io.BytesIO(index.model_dump_json().encode()))
    return name


def keys(target: DirectoryStore, prefix: str = "") -> list[str]:
    return [found.key for found in target.list(prefix)]


def run(target: DirectoryStore, **how: object) -> Pruned:
    return prune(target, LAST_TWO, **{"now": NOW, **how})  # type: ignore[arg-type]


def test_old_snapshots_go_and_what_others_name_stays(target: DirectoryStore) -> None:
    old = snapshot(target, 30, ["aa", "bb"])
    kept = [snapshot(target, 20, ["bb"]), snapshot(target, 10, ["bb", "cc"])]
    done = run(target)
    assert [one.id for one in done.decisions if not one.stays] == [old]
    assert not keys(target, folder(old))
    assert keys(target, "uploads/") == ["uploads/aa", "uploads/bb", "uploads/cc"]
    assert done.waiting == 1
    later = run(target, now=NOW + GRACE)
    assert later.content_removed == ["uploads/aa"]
    assert keys(target, "uploads/") == ["uploads/bb", "uploads/cc"]
    assert all(keys(target, folder(one)) for one in kept)


def test_content_that_is_named_again_within_the_grace_time_stays(target: DirectoryStore) -> None:
    snapshot(target, 30, ["aa"])
    snapshot(target, 20, [])
    snapshot(target, 10, [])
    run(target)
    snapshot(target, 5, ["aa"])  # a backup elsewhere found it and names it now
    assert run(target, now=NOW + GRACE).content_removed == []
    assert "uploads/aa" in keys(target)


def test_a_half_written_snapshot_goes_after_the_grace_time(target: DirectoryStore) -> None:
    snapshot(target, 10, [])
    put(target, "snapshots/20261101T000000Z-ffffff/data.db.zst")
    assert run(target).content_removed == []
    assert run(target, now=NOW + GRACE).content_removed == [
        "snapshots/20261101T000000Z-ffffff/data.db.zst"
    ]


def test_a_dry_run_says_why_and_removes_nothing(target: DirectoryStore) -> None:
    for age in (30, 20, 10):
        snapshot(target, age, ["aa"])
    before = keys(target)
    done = run(target, dry_run=True)
    assert [one.reasons for one in done.decisions] == [("last",), ("last",), ()]
    assert keys(target) == before


def test_a_damaged_index_stops_everything(target: DirectoryStore, tmp_path: Path) -> None:
    damaged = snapshot(target, 30, ["aa"])
    for age in (20, 10, 5):
        snapshot(target, age, [])
    (tmp_path / index_key(damaged)).write_text("{}")
    before = keys(target)
    with pytest.raises(DamagedError, match="Nothing was pruned"):
        run(target)
    assert keys(target) == before


class NoDelete(DirectoryStore):
    """Credentials that may put, get and list, as they should be on an instance."""

    def delete(self, key: str) -> None:
        raise TargetAccessError("Target 'disk' could not delete (AccessDenied)", where=key)


def test_credentials_that_may_not_delete_are_told_and_are_no_fault(tmp_path: Path) -> None:
    target = NoDelete(DirectoryTarget(kind="directory", name="disk", path=str(tmp_path)))
    for age in (30, 20, 10):
        snapshot(target, age, ["aa"])
    before = keys(target)
    done = run(target)
    assert done.denied and "could not delete" in done.denied
    assert keys(target) == before


class KilledError(Exception):
    pass


def test_a_prune_killed_anywhere_leaves_only_whole_snapshots_or_none(tmp_path: Path) -> None:
    for stop in range(9):
        root = tmp_path / str(stop)
        root.mkdir()
        target = DirectoryStore(DirectoryTarget(kind="directory", name="disk", path=str(root)))
        for age in (40, 30, 20, 10):
            snapshot(target, age, ["aa", f"own{age}"])
        with killed_after(target, stop), suppress(KilledError):
            run(target, now=NOW)
            run(target, now=NOW + GRACE)
        for found in keys(target, "snapshots/"):
            if found.endswith("index.json"):
                index = Index.model_validate_json((root / found).read_bytes())
                assert {one.key for one in index.objects} <= set(keys(target))
        run(target, now=NOW + GRACE * 2)
        run(target, now=NOW + GRACE * 4)
        assert len(keys(target, "uploads/")) == 3


@contextmanager
def killed_after(target: DirectoryStore, deletions: int) -> Iterator[None]:
    done = 0
    real = target.delete

    def delete(key: str) -> None:
        nonlocal done
        if done == deletions:
            raise KilledError
        done += 1
        real(key)

    target.delete = delete  # type: ignore[method-assign]
    try:
        yield
    finally:
        target.delete = real  # type: ignore[method-assign]
