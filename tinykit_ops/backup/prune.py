"""Removing snapshots that need not stay, and content that no snapshot names any more.

Why content goes only after a grace time, and why that is safe beside a running backup: `unnamed`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tinykit_ops.backup.catalog import read_index, snapshot_ids
from tinykit_ops.backup.errors import BackupError, DamagedError, LockedError, TargetAccessError
from tinykit_ops.backup.manifest import Index, folder, index_key
from tinykit_ops.backup.retention import Decision, decide
from tinykit_ops.backup.sign_offs import SignOffs
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.unnamed import (
    GRACE,
    Notes,
    read_notes,
    time_of,
    unnamed_keys,
    write_notes,
)
from tinykit_ops.settings.retention import RetentionSettings

__all__ = ["GRACE", "Pruned", "prune"]

RESULTS_KEPT = 5  #: of verifying one snapshot
REFUSALS = 3  #: so many without one success: these credentials may not delete at all


@dataclass
class Pruned:
    """What a prune did, or would do.

    Attributes:
        decisions: about every snapshot, newest first.
        content_removed: keys of content and of half-written snapshots that went, or would go.
        waiting: how much unnamed content is still within the grace time.
        locked: what should have gone and could not: key → why. It is tried again next time.
        denied: what the target said when it refused a deletion without a lock, if it did.
    """

    decisions: list[Decision]
    content_removed: list[str] = field(default_factory=list)
    waiting: int = 0
    locked: dict[str, str] = field(default_factory=dict)
    denied: str | None = None


def prune(
    target: Target,
    retention: RetentionSettings,
    *,
    protected: Collection[str] = (),
    signers: Collection[str] = (),
    made: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Pruned:
    """Apply the retention to one target. Call it only when the last backup to it succeeded.

    Credentials that may not delete are no fault: the result says so, and a host that may can do it.

    Args:
        protected: ids that stay whatever the retention says: the last snapshot that this host
            verified. What others verified is read from the target.
        signers: whose results count for that, see `SignOffs`.
        made: what this host made last, which stays too.
        dry_run: only decide; nothing is written.
        now: instead of the target's own time, for tests.

    Raises:
        DamagedError: an index cannot be read; then nothing is removed, because nobody knows what
            that snapshot needs.
        TargetError: the target failed otherwise.
    """
    try:
        # Before the indexes are read: `unnamed` relies on that.
        now = now or (datetime.now(UTC) if dry_run else time_of(target))
    except TargetAccessError as error:
        return Pruned([], denied=error.what)
    run = _Prune(target, now, SignOffs(target, signers))
    pruned = run.decide(retention, protected, made)
    if dry_run:
        run.look_for_content(pruned)
        return pruned
    with suppress(_MayNotDelete):
        run.remove_snapshots(pruned)
        run.remove_content(pruned)
        run.remove_results()
    return pruned


class _MayNotDelete(Exception):  # noqa: N818
    """Enough was refused."""


class _Prune:
    """One prune of one target."""

    def __init__(self, target: Target, now: datetime, results: SignOffs) -> None:
        self._target = target
        self._results = results
        self._now = now
        self._named: dict[str, set[str]] = {}
        self._deleted = self._refused = 0

    def decide(
        self, retention: RetentionSettings, protected: Collection[str], made: str | None
    ) -> Pruned:
        times: list[tuple[str, datetime]] = []
        stays = {*protected, *self._results.protected(self._indexes(times))}
        return Pruned(decide(times, retention, stays, self._now, made))

    def _indexes(self, times: list[tuple[str, datetime]]) -> Iterator[Index]:
        """One at a time: those of big instances are not all held at once."""
        for snapshot in snapshot_ids(self._target):
            index = _readable_index(self._target, snapshot)
            times.append((snapshot, index.created))
            self._named[snapshot] = {stored.key for stored in index.objects}
            yield index

    def remove_snapshots(self, pruned: Pruned) -> None:
        """The index first: from then on it is no snapshot, whatever happens."""
        for snapshot in [one.id for one in pruned.decisions if not one.stays]:
            if self._remove(index_key(snapshot), pruned):
                for found in list(self._target.list(folder(snapshot))):
                    self._remove(found.key, pruned)

    # Content -----------------------------------------------------------------------------------

    def look_for_content(self, pruned: Pruned) -> None:
        """What `remove_content` would do."""
        since = self._since(read_notes(self._target))
        pruned.content_removed = self._ripe(since)
        pruned.waiting = len(since) - len(pruned.content_removed)

    def remove_content(self, pruned: Pruned) -> None:
        before = read_notes(self._target)
        since = self._since(before)
        if since != before.since:
            # Before anything goes, so that whoever begins now knows what not to rely on.
            write_notes(self._target, Notes(since=since))
        removed = [key for key in self._ripe(since) if self._remove(key, pruned)]
        pruned.content_removed += removed
        left = {key: time for key, time in since.items() if key not in removed}
        pruned.waiting = len(left)
        if removed:
            write_notes(self._target, Notes(since=left))

    def remove_results(self) -> None:
        """Results of snapshots that are gone, and all but the last few of the others. What cannot
        go stays: it is small, and harms nobody."""
        present = set(snapshot_ids(self._target))
        for snapshot in self._results.snapshots:
            kept = RESULTS_KEPT if snapshot in present else 0
            for stored in self._results.objects(snapshot)[kept:]:
                # A snapshot whose index is not there yet has no results that are old.
                if kept or self._now - stored.modified >= GRACE or snapshot in self._named:
                    with suppress(LockedError, TargetAccessError):
                        self._target.delete(stored.key)

    def _since(self, before: Notes) -> dict[str, datetime]:
        """Since when what is unnamed now has been so. What an index named when this prune began,
        also one that this prune removed, is so since now."""
        at_start: set[str] = set().union(*self._named.values())
        present = {one for one in snapshot_ids(self._target) if one in self._named}
        named_now: set[str] = set().union(*(self._named[one] for one in present))
        return {
            key: self._now if key in at_start else before.since.get(key, self._now)
            for key in unnamed_keys(self._target, named_now)
        }

    def _ripe(self, since: dict[str, datetime]) -> list[str]:
        return sorted(key for key, time in since.items() if self._now - time >= GRACE)

    def _remove(self, key: str, pruned: Pruned) -> bool:
        """Whether it went. One locked object stops nothing."""
        try:
            self._target.delete(key)
        except LockedError as error:
            pruned.locked[key] = error.what
            return False
        except TargetAccessError as error:
            # Some services answer so for a locked object too: hence one refusal tells nothing.
            pruned.locked[key] = pruned.denied = error.what
            self._refused += 1
            if self._refused >= REFUSALS and not self._deleted:
                raise _MayNotDelete from None
            return False
        self._deleted += 1
        return True


def _readable_index(target: Target, snapshot: str) -> Index:
    try:
        return read_index(target, snapshot)
    except BackupError as error:
        raise DamagedError(
            f"Nothing was pruned: {error.what}",
            where=error.where,
            hint="look at that snapshot with `tinykit-ops backup verify`, then delete it by hand",
        ) from None
