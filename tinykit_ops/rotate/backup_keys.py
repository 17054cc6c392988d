"""New keys for sealed backups: the inventory names other public keys, and the snapshots that only
the old private keys open are counted until the last of them is gone.

No host can tell to whom a snapshot is sealed: age hides that, on purpose. So all that were made
until the change was seen count as old.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.catalog import snapshot_ids
from tinykit_ops.backup.manifest import moment
from tinykit_ops.backup.targets import Target, open_target, recipients_of
from tinykit_ops.errors import StorageError, UsageError
from tinykit_ops.host import files
from tinykit_ops.rotate.given import Given, State
from tinykit_ops.settings.backup import archive_targets

NAME = "backup-keys"
ELSEWHERE = "destroy the old private keys, those on a verifier too"
#: Public keys are no secrets, and snapshots outlive reboots.
FOLDER = Path(layout.STATE_DIR) / NAME


def rotate_backup_keys(
    config: AgentConfig,
    folder: Path = FOLDER,
    opened: Callable[[str], Target] | None = None,
    now: datetime | None = None,
) -> list[Given]:
    """Remember the public keys of each sealed target, or count what is still sealed to old ones.

    Args:
        folder: root's; what is remembered.
        opened: gives a target by its name.

    Raises:
        UsageError: no target is sealed.
        TinykitOpsError: a target cannot be read.
    """
    keys = {one.name: recipients_of(one) for one in archive_targets(config.settings.backup)}
    sealed = {name: wanted for name, wanted in keys.items() if wanted}
    if not sealed:
        raise UsageError(
            "no target of this host's backups is sealed",
            hint='`"encryption": ["age1…"]` seals one (docs/backup.md)',
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = opened or partial(open_target, config)
    seen = moment(now or datetime.now(UTC))
    return [
        _one(name, wanted, folder / f"{name}.json", opened, seen) for name, wanted in sealed.items()
    ]


def _one(
    name: str,
    keys: list[str],
    kept: Path,
    opened: Callable[[str], Target],
    seen: str,
) -> Given:
    about = f"keys of target {name}"
    old, changed = _remembered(kept)
    if not old:
        _remember(kept, keys, "")
        return Given(about, State.WAITING)
    if set(old) <= set(keys):
        return Given(about, State.WAITING)
    if not changed:
        changed = seen
        _remember(kept, old, changed)
    before = [one for one in snapshot_ids(opened(name)) if one < changed]
    if before:
        return Given(about, State.LEFT, (_told(before),))
    kept.unlink()
    return Given(about, State.GONE)


def _told(snapshots: list[str]) -> str:
    count = f"{len(snapshots)} snapshot{'s' if len(snapshots) > 1 else ''}"
    return (
        f"{count}, the newest {snapshots[-1]}: keep the old private key until retention ends them"
    )


def _remembered(kept: Path) -> tuple[list[str], str]:
    """The keys before the change, and when it was seen, as in a snapshot's id."""
    text = files.read(kept)
    if text is None:
        return [], ""
    try:
        told = json.loads(text)
        return [str(key) for key in told["keys"]], str(told["changed"])
    except (ValueError, KeyError, TypeError):
        raise StorageError(
            "What was remembered of a target's keys cannot be read",
            where=str(kept),
            hint="remove this file to begin anew; keep old private keys meanwhile",
        ) from None


def _remember(kept: Path, keys: list[str], changed: str) -> None:
    files.write(kept, json.dumps({"keys": keys, "changed": changed}), mode=0o600)
