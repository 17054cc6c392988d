"""Which snapshots a target holds, read from their indexes: no key is needed for that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from tinykit_ops.backup.errors import (
    BackupError,
    BackupSettingsError,
    DamagedError,
    NotStoredError,
)
from tinykit_ops.backup.manifest import FORMAT, INDEX, SNAPSHOTS, Index, index_key
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.verified import Verified

LARGEST_INDEX = 512 << 20  #: bytes; more is no index of ours


@dataclass(frozen=True)
class Summary:
    """One snapshot in a list.

    Attributes:
        data_bytes: what it holds, uncompressed.
        own_bytes: stored for it alone; uploads, shared with others, left out.
        uploads: how many stored objects of uploads it names.
        fault: why it cannot be used; None when its index is sound.
        verified: the last word on whether it comes back; None when nobody looked.
    """

    id: str
    created: datetime | None
    encrypted: bool = False
    data_bytes: int = 0
    own_bytes: int = 0
    uploads: int = 0
    fault: str | None = None
    verified: Verified | None = None


def snapshot_ids(target: Target) -> list[str]:
    """Ids of all complete snapshots, oldest first."""
    ending = f"/{INDEX}"
    return sorted(
        found.key.removeprefix(SNAPSHOTS).removesuffix(ending)
        for found in target.list(SNAPSHOTS)
        if found.key.endswith(ending)
    )


def newest_id(target: Target) -> str:
    """The id of the newest snapshot. Raises BackupSettingsError when there is none."""
    ids = snapshot_ids(target)
    if not ids:
        raise BackupSettingsError(
            f"Target {target.name!r} holds no snapshot yet",
            hint="`tinykit-ops backup run` makes one",
        )
    return ids[-1]


def read_index(target: Target, snapshot: str) -> Index:
    """The index of a snapshot.

    Raises:
        BackupSettingsError: there is no such snapshot.
        DamagedError: its index is not one, or is another snapshot's.
    """
    try:
        with target.get(index_key(snapshot)) as stream:
            content = stream.read(LARGEST_INDEX)
    except NotStoredError:
        raise BackupSettingsError(
            f"There is no snapshot {snapshot!r} in target {target.name!r}",
            hint="`tinykit-ops backup list` shows all of them",
        ) from None
    _check_format(content, snapshot)
    try:
        index = Index.model_validate_json(content)
    except ValidationError as error:
        raise DamagedError(
            f"The index of snapshot {snapshot} is damaged ({error.error_count()} faults)",
            where=index_key(snapshot),
            hint="use another snapshot; this one's parts may still be sound",
        ) from None
    if index.id != snapshot:
        raise DamagedError(
            f"The index of snapshot {snapshot} belongs to {index.id}",
            where=index_key(snapshot),
            hint="somebody copied or swapped it: use another snapshot",
        )
    return index


def _check_format(content: bytes, snapshot: str) -> None:
    try:
        told = json.loads(content).get("format")
    except (ValueError, AttributeError, RecursionError):
        return  # the model tells what is wrong
    if isinstance(told, int) and told > FORMAT:
        raise BackupSettingsError(
            f"Snapshot {snapshot} is of format {told}; this version knows up to {FORMAT}",
            where=index_key(snapshot),
            hint="update tinykit-ops",
        )


def summaries(
    target: Target, word_on: Callable[[Index], Verified | None] = lambda _: None
) -> Iterator[Summary]:
    """Every snapshot, oldest first, one at a time; damaged ones with what is wrong.

    Args:
        word_on: finds the last word on whether a snapshot comes back.
    """
    for snapshot in snapshot_ids(target):
        try:
            index = read_index(target, snapshot)
            yield summarise(index, word_on(index))
        except BackupError as error:
            yield Summary(snapshot, None, fault=error.what)


def summarise(index: Index, verified: Verified | None = None) -> Summary:
    """The line that `list` shows."""
    own = [index.manifest, *index.parts]
    return Summary(
        index.id,
        index.created,
        index.encrypted,
        index.data_bytes,
        sum(stored.size for stored in own),
        len(index.uploads),
        verified=verified,
    )
