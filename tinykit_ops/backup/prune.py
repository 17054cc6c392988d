"""Removing snapshots that need not stay, and content that no snapshot names any more.

Content goes in two steps, because a backup may be running elsewhere that found it and is about to
name it: the first prune that sees it unnamed only writes that down, a later one deletes it when
it is still unnamed after the grace time, which is longer than any backup takes.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ValidationError

from tinykit_ops.backup.catalog import read_index, snapshot_ids
from tinykit_ops.backup.errors import BackupError, DamagedError, NotStoredError, TargetAccessError
from tinykit_ops.backup.manifest import SNAPSHOTS, UPLOADS, Index, folder, index_key
from tinykit_ops.backup.retention import Decision, decide
from tinykit_ops.backup.targets import Target
from tinykit_ops.settings.retention import RetentionSettings

GRACE = timedelta(days=2)
NOTES = "prune/unnamed.json"  #: since when which content is unnamed


@dataclass
class Pruned:
    """What a prune did, or would do.

    Attributes:
        decisions: about every snapshot, newest first.
        content_removed: keys of content and of half-written snapshots that went.
        waiting: how much unnamed content is still within the grace time.
        denied: why nothing more could be deleted; None when all could.
    """

    decisions: list[Decision]
    content_removed: list[str] = field(default_factory=list)
    waiting: int = 0
    denied: str | None = None


class _Notes(BaseModel):
    since: dict[str, AwareDatetime] = {}


def prune(
    target: Target,
    retention: RetentionSettings,
    *,
    protected: Collection[str] = (),
    dry_run: bool = False,
    now: datetime | None = None,
) -> Pruned:
    """Apply the retention to one target.

    Credentials that may not delete are no fault: the result says so, and a host that may can do it.

    Raises:
        DamagedError: an index cannot be read; then nothing is removed, because nobody knows what
            that snapshot needs.
        TargetError: the target failed otherwise.
    """
    now = now or datetime.now(UTC)
    named: dict[str, set[str]] = {}
    times: list[tuple[str, datetime]] = []
    for snapshot in snapshot_ids(target):
        index = _readable_index(target, snapshot)
        times.append((snapshot, index.created))
        named[snapshot] = {stored.key for stored in index.objects}
    pruned = Pruned(decide(times, retention, protected))
    going = [decision.id for decision in pruned.decisions if not decision.stays]
    if dry_run:
        return pruned
    try:
        for snapshot in going:
            _remove_snapshot(target, snapshot)
            del named[snapshot]
        _remove_unnamed(target, set().union(*named.values()), pruned, now)
    except TargetAccessError as error:
        pruned.denied = error.what
    return pruned


def _readable_index(target: Target, snapshot: str) -> Index:
    try:
        return read_index(target, snapshot)
    except BackupError as error:
        raise DamagedError(
            f"Nothing was pruned: {error.what}",
            where=error.where,
            hint="look at that snapshot with `tinykit-ops backup verify`, then delete it by hand",
        ) from None


def _remove_snapshot(target: Target, snapshot: str) -> None:
    """The index first: from then on it is no snapshot, whatever happens."""
    target.delete(index_key(snapshot))
    for found in list(target.list(folder(snapshot))):
        target.delete(found.key)


def _remove_unnamed(target: Target, named: set[str], pruned: Pruned, now: datetime) -> None:
    whole = {f"{SNAPSHOTS}{one}/" for one in snapshot_ids(target)}
    present = [found.key for found in target.list(UPLOADS)]
    present += [
        found.key
        for found in target.list(SNAPSHOTS)
        if not any(found.key.startswith(prefix) for prefix in whole)
    ]
    before = _read_notes(target)
    since = {key: before.since.get(key, now) for key in present if key not in named}
    for key, time in sorted(since.items()):
        if now - time >= GRACE:
            target.delete(key)
            pruned.content_removed.append(key)
            del since[key]
    pruned.waiting = len(since)
    if since != before.since:
        notes = _Notes(since=since).model_dump_json().encode()
        target.put(NOTES, io.BytesIO(notes))


def _read_notes(target: Target) -> _Notes:
    try:
        with target.get(NOTES) as stream:
            return _Notes.model_validate_json(stream.read())
    except (NotStoredError, ValidationError):
        return _Notes()  # the grace time begins again
