"""Content that no snapshot names: noted first, and removed after a grace time.

A backup may be running elsewhere that is about to name what nobody names yet. Nothing can be
locked in a bucket, so this is why a snapshot that appears meanwhile never loses content:

1. A prune only *notes* unnamed content (`prune/unnamed.json`). A later one removes what was noted
   at least `GRACE` before that prune began, and what no index names when it began.
2. A backup that begins after the note was written never names noted content, unless an index that
   it reads names it: it stores the bytes again, under another key (`Doomed`).
3. So only a backup that began *before* the note can name it without an index. It gives up when it
   took longer than `LONGEST_RUN`, which is shorter than `GRACE` (`Stopwatch`). Hence its index is
   there when the removing prune begins, and that prune sees the content named.
4. Content named by an index that this prune removes counts as named until now, and is noted with
   the time of this prune: a backup that read that index began before this note, so 3 holds.

Times of notes are by the target's own clock, which is the same for everybody and is not set by a
host whose clock jumped. The length of a backup is taken from a clock that nobody can set.
"""

from __future__ import annotations

import io
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ValidationError

from tinykit_ops.backup.catalog import snapshot_ids
from tinykit_ops.backup.errors import BackupError, NotStoredError, TargetError
from tinykit_ops.backup.manifest import SNAPSHOTS, UPLOADS
from tinykit_ops.backup.targets import Target

GRACE = timedelta(days=2)
LONGEST_RUN = timedelta(days=1)
NOTES = "prune/unnamed.json"  #: since when which content is unnamed
CLOCK = "prune/clock"  #: written to learn the target's time


class Notes(BaseModel):
    """Since when, by the target's clock, which key is named by no snapshot."""

    since: dict[str, AwareDatetime] = {}


def read_notes(target: Target) -> Notes:
    """What the last prune noted. Damaged notes are none: the grace time begins again."""
    try:
        with target.get(NOTES) as stream:
            return Notes.model_validate_json(stream.read())
    except (NotStoredError, ValidationError):
        return Notes()


def write_notes(target: Target, notes: Notes) -> None:
    """Replace the notes."""
    target.put(NOTES, io.BytesIO(notes.model_dump_json().encode()))


def time_of(target: Target) -> datetime:
    """The target's own time, read off an object that is written for that."""
    target.put(CLOCK, io.BytesIO(b"written to learn this target's time\n"))
    for found in target.list(CLOCK):
        if found.key == CLOCK:
            return found.modified.astimezone(UTC)
    raise TargetError(
        f"Target {target.name!r} does not list what was just stored",
        where=CLOCK,
        hint="does something else delete there? give every instance a prefix of its own",
    )


def unnamed_keys(target: Target, named: Collection[str]) -> list[str]:
    """Uploads, and parts of snapshots without an index, that are not among `named`."""
    whole = {f"{SNAPSHOTS}{one}/" for one in snapshot_ids(target)}
    present = [found.key for found in target.list(UPLOADS)]
    present += [
        found.key
        for found in target.list(SNAPSHOTS)
        if "/".join(found.key.split("/")[:2]) + "/" not in whole
    ]
    return sorted(key for key in present if key not in named)


class Doomed:
    """Keys that a backup must not take for held, because a prune may remove them.

    Make one before the target's content is listed.
    """

    def __init__(self, target: Target) -> None:
        self._keys = frozenset(read_notes(target).since)

    def __contains__(self, key: str) -> bool:
        return key in self._keys


class Stopwatch:
    """The length of a backup, by a clock that goes on in sleep and that nobody can set."""

    def __init__(self) -> None:
        self._began = time.clock_gettime(time.CLOCK_BOOTTIME)

    def refuse_late(self) -> None:
        """Raises BackupError when a prune elsewhere may be removing content by now."""
        passed = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME) - self._began)
        if passed > LONGEST_RUN:
            raise BackupError(
                f"The backup took {passed.total_seconds() / 3600:.0f} hours, too long to be safe "
                "beside a prune elsewhere",
                hint="run it again: what was sent is not sent again",
            )
