"""What stands between an instance and its backups, looked at before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.delivery import wanted_targets
from tinykit_ops.backup.doctor.archives import look_at_archives
from tinykit_ops.backup.doctor.host import look_at_host
from tinykit_ops.backup.doctor.pocketbase import look_at_pocketbase
from tinykit_ops.backup.doctor.s3 import look_at_bucket
from tinykit_ops.backup.doctor.sign import Mark, Sign, from_error
from tinykit_ops.backup.doctor.target import look_at_directory, look_at_target
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.targets import target_settings
from tinykit_ops.backup.targets.volume import open_volume
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.settings.backup_targets import ArchiveTarget, DirectoryTarget, S3Target

__all__ = ["HOST", "Mark", "Sign", "examine"]

HOST = "host"


def examine(config: AgentConfig, places: Places, only: Sequence[str] = ()) -> dict[str, list[Sign]]:
    """Look at the host, and at all targets or some.

    Only one thing is written: the object `doctor/probe` in each target for archives. Where a target
    locks, the lock of one upload is extended, as the next backup would do.

    Returns:
        What was seen, by `host` and the names of targets.

    Raises:
        BackupSettingsError: there is no target, or not one of that name.
    """
    names = wanted_targets(config, only)
    seen = {HOST: _guarded(lambda: look_at_host(config, places))}
    if not places.of:
        seen[HOST] += _guarded(lambda: look_at_pocketbase(config, places))
    for name in names:
        seen[name] = _guarded(lambda name=name: _look_at(config, places, name))  # type: ignore[misc]
    return seen


def _look_at(config: AgentConfig, places: Places, name: str) -> Iterator[Sign]:
    settings = target_settings(config, name)
    if not isinstance(settings, ArchiveTarget):
        found = open_volume(config, name).list()
        yield Sign(Mark.GOOD, "volume", f"{len(found)} snapshot(s) can be listed")
        return
    yield from look_at_target(config, settings)
    yield from look_at_archives(config, settings)
    if isinstance(settings, S3Target):
        yield from look_at_bucket(config, settings)
    if isinstance(settings, DirectoryTarget):
        yield from look_at_directory(settings, places)


def _guarded(look: Callable[[], Iterator[Sign]]) -> list[Sign]:
    """All that was seen until something stopped it, and what that was."""
    seen: list[Sign] = []
    try:
        for sign in look():
            seen.append(sign)
    except TinykitOpsError as error:
        seen.append(from_error("reach", error))
    return seen
