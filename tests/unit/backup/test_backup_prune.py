from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinykit_ops.backup.errors import BackupError, DamagedError, LockedError, TargetAccessError
from tinykit_ops.backup.manifest import Index, Stored, folder, index_key
from tinykit_ops.backup.prune import GRACE, Pruned, prune
from tinykit_ops.backup.targets.directory import DirectoryStore
from tinykit_ops.backup.unnamed import CLOCK, LONGEST_RUN, Doomed, Stopwatch, time_of
from tinykit_ops.settings.backup_targets import DirectoryTarget
from tinykit_ops.settings.retention import RetentionSettings

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


class Locks(DirectoryStore):
    """Some objects are locked, as S3's object lock does it."""

    locked: frozenset[str] = frozenset()

    def delete(self, key: str) -> None:
        if key in self.locked:
            raise LockedError("Target 'disk' keeps an object locked until 2027", where=key)
        super().delete(key)


def locking(tmp_path: Path) -> Locks:
    return Locks(DirectoryTarget(kind="directory", name="disk", path=str(tmp_path)))


def test_a_locked_snapshot_stays_whole_and_stops_no_other(tmp_path: Path) -> None:
    target = locking(tmp_path)
    locked, free = snapshot(target, 40, ["aa"]), snapshot(target, 30, ["bb"])
    for age in (20, 10):
        snapshot(target, age, [])
    target.locked = frozenset([index_key(locked)])
    done = run(target)
    assert done.denied is None and list(done.locked) == [index_key(locked)]
    assert len(keys(target, folder(locked))) == 3 and not keys(target, folder(free))
    assert run(target, now=NOW + GRACE).content_removed == ["uploads/bb"]
    target.locked = frozenset()
    run(target, now=NOW + GRACE * 2)
    assert not keys(target, folder(locked))
    assert run(target, now=NOW + GRACE * 3).content_removed == ["uploads/aa"]


def test_locked_content_is_tried_again_and_the_rest_goes(tmp_path: Path) -> None:
    target = locking(tmp_path)
    snapshot(target, 40, ["aa", "bb"])
    for age in (20, 10):
        snapshot(target, age, [])
    target.locked = frozenset(["uploads/aa"])
    run(target)
    done = run(target, now=NOW + GRACE)
    assert done.content_removed == ["uploads/bb"] and "uploads/aa" in done.locked
    target.locked = frozenset()
    assert run(target, now=NOW + GRACE).content_removed == ["uploads/aa"]


def test_the_last_verified_snapshot_stays(target: DirectoryStore) -> None:
    verified = snapshot(target, 40, ["aa"])
    for age in (30, 20, 10):
        snapshot(target, age, [])
    run(target, protected=[verified])
    run(target, protected=[verified], now=NOW + GRACE * 2)
    assert len(keys(target, folder(verified))) == 3 and "uploads/aa" in keys(target)


def test_a_dry_run_tells_which_content_would_go(target: DirectoryStore) -> None:
    snapshot(target, 30, ["aa"])
    for age in (20, 10):
        snapshot(target, age, [])
    run(target)
    before = keys(target)
    assert run(target, dry_run=True).waiting == 1
    assert run(target, dry_run=True, now=NOW + GRACE).content_removed == ["uploads/aa"]
    assert keys(target) == before


def test_the_targets_clock_counts_and_not_the_hosts(target: DirectoryStore, tmp_path: Path) -> None:
    snapshot(target, 30, ["aa"])
    for age in (20, 10):
        snapshot(target, age, [])
    prune(target, LAST_TWO)
    # The target's time is that of the file it is asked by, whatever this host believes.
    os.utime(tmp_path / CLOCK, (0, 0))
    before = time_of(target)
    assert abs((datetime.now(UTC) - before).total_seconds()) < 600
    assert prune(target, LAST_TWO).waiting == 1


# A backup that runs elsewhere at the same time ---------------------------------------------------


def test_content_that_an_index_named_until_now_waits_although_it_was_noted_before(
    target: DirectoryStore,
) -> None:
    """A backup that runs now may have read the index that this prune removes."""
    put(target, "uploads/aa")
    for age in (20, 10):
        snapshot(target, age, [])
    run(target)  # notes it
    snapshot(target, 30, ["aa"])  # an older, slower backup names it after all
    later = run(target, now=NOW + GRACE)  # removes that snapshot
    assert later.content_removed == [] and later.waiting == 1
    assert run(target, now=NOW + GRACE * 2).content_removed == ["uploads/aa"]


def test_a_backup_that_begins_after_the_note_relies_on_nothing_noted(
    target: DirectoryStore,
) -> None:
    put(target, "uploads/aa")
    put(target, "uploads/bb")
    snapshot(target, 10, ["bb"])
    assert "uploads/aa" not in Doomed(target)
    run(target)
    doomed = Doomed(target)
    assert "uploads/aa" in doomed and "uploads/bb" not in doomed


def test_a_backup_that_takes_too_long_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Stopwatch()
    watch.refuse_late()
    assert LONGEST_RUN < GRACE
    late = time.clock_gettime(time.CLOCK_BOOTTIME) + LONGEST_RUN.total_seconds() + 1
    monkeypatch.setattr(time, "clock_gettime", lambda _: late)
    with pytest.raises(BackupError, match="too long to be safe"):
        watch.refuse_late()


class Simulated:
    """One backup elsewhere, step by step, by the rules of `unnamed`."""

    def __init__(self, target: DirectoryStore, began: datetime) -> None:
        self.target, self.began = target, began
        self.doomed = Doomed(target)
        self.held = set(keys(target, "uploads/"))
        self.by_index = {
            stored.key
            for found in keys(target, "snapshots/")
            if found.endswith("index.json")
            for stored in Index.model_validate_json(_read(target, found)).uploads
        }

    def place(self, content: str) -> str:
        for turn in range(9):
            key = f"uploads/{content}{turn or ''}"
            if key in self.held and (key in self.by_index or key not in self.doomed):
                return key
            if key not in self.held and key not in self.doomed:
                put(self.target, key)
                return key
        raise AssertionError

    def finish(self, contents: list[str], now: datetime) -> str | None:
        placed = [self.place(one).removeprefix("uploads/") for one in contents]
        if now - self.began > LONGEST_RUN:
            return None
        return snapshot(self.target, int((NOW - now).total_seconds() // 3600), placed)


def _read(target: DirectoryStore, key: str) -> bytes:
    with target.get(key) as stream:
        return stream.read()


steps = st.lists(
    st.tuples(
        st.sampled_from(["prune", "begin", "finish"]),
        st.integers(0, 40),  # hours that pass before
        st.lists(st.sampled_from(["aa", "bb", "cc"]), max_size=3, unique=True),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(steps)
def test_no_snapshot_ever_lacks_content_however_backups_and_prunes_interleave(
    script: list[tuple[str, int, list[str]]],
) -> None:
    with TemporaryDirectory() as root:
        target = DirectoryStore(DirectoryTarget(kind="directory", name="disk", path=root))
        now, running = NOW, None
        for action, hours, contents in script:
            now += timedelta(hours=hours, seconds=7)
            if action == "prune":
                run(target, now=now)
            elif action == "begin":
                running = Simulated(target, now)
            elif running is not None:
                running.finish(contents, now)
                running = None
            present = set(keys(target))
            for found in present:
                if found.endswith("index.json"):
                    index = Index.model_validate_json(_read(target, found))
                    assert {one.key for one in index.objects} <= present
