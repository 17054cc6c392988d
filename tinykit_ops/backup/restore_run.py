"""A restore in place on a provisioned host: its programs, its secrets, its locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupFailedError
from tinykit_ops.backup.in_place import InPlace
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.run import How, run_backup
from tinykit_ops.backup.services import SystemdServices
from tinykit_ops.host.alone import alone
from tinykit_ops.host.claim_step import ClaimStep


@contextmanager
def in_place(config: AgentConfig, places: Places) -> Iterator[InPlace]:
    """A restore over this host's instance, with deploys kept away while it lasts.

    Raises:
        BusyError: a deploy is at work.
    """
    services = SystemdServices(
        config.settings.superuser,
        config.secret(layout.SUPERUSER_PASSWORD),
        # A snapshot from before a setting was closed must not open it again.
        claim=ClaimStep(config.settings, config.secret).apply,
        url=places.pocketbase_url,
    )
    with alone():
        yield InPlace(places, services)


def safety_snapshot(config: AgentConfig, places: Places, target: str) -> Callable[[], None]:
    """What backs up the data as it is now, to the target that the restore reads from."""

    def run() -> None:
        # Nothing is pruned: it could be the very snapshot that is to be restored.
        outcomes = run_backup(config, places, [target], How(prune=False))
        failed = [outcome for outcome in outcomes if outcome.error]
        if failed:
            raise BackupFailedError(
                f"The data as it is now could not be backed up: {failed[0].error}",
                where=target,
                hint="nothing was changed; --no-safety-snapshot goes on without, and keeps the "
                "old data on this host only",
            )

    return run
