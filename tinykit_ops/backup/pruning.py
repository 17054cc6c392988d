"""Pruning as a command does it: which retention, what is protected, and when not to."""

from __future__ import annotations

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupError
from tinykit_ops.backup.learn import signers_of
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.prune import Pruned, prune
from tinykit_ops.backup.status import known_of
from tinykit_ops.backup.targets import open_target, target_settings
from tinykit_ops.backup.targets.volume import is_volume_target, open_volume
from tinykit_ops.backup.volumes import prune_volume


class LastBackupFailedError(BackupError):
    """Nothing is removed while new snapshots fail."""


def prune_one(config: AgentConfig, places: Places, name: str, *, dry_run: bool) -> Pruned:
    """Apply a target's retention; its last verified snapshot stays, whoever verified it, and so
    does the last one that this host made.

    Raises:
        LastBackupFailedError: the last backup to it failed, as far as this host knows. A dry run
            is done all the same.
        BackupError: as `prune` does.
    """
    known = known_of(name, places.status)
    if known.failing and not dry_run:
        raise LastBackupFailedError(
            f"Nothing was pruned in {name!r}: the last backup to it failed",
            where=(known.error or "unknown").splitlines()[0],
            hint="old snapshots are all there is until a new one succeeds: `backup run` first",
        )
    plan = config.settings.backup.plan(target_settings(config, name))
    protected = [known.verified_snapshot] if known.verified_snapshot else []
    made = known.snapshot
    if is_volume_target(config, name):
        store = open_volume(config, name)
        return prune_volume(store, plan.retention, protected=protected, made=made, dry_run=dry_run)
    return prune(
        open_target(config, name),
        plan.retention,
        protected=protected,
        signers=signers_of(config, name),
        made=made,
        dry_run=dry_run,
    )
