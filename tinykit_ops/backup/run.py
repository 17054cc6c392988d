"""One backup: lock, look, snapshot, archive to every target, prune, tell."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.about import pocketbase_version, release_in_use
from tinykit_ops.backup.archive import Source
from tinykit_ops.backup.boot_part import boot_tar
from tinykit_ops.backup.database import read_contents
from tinykit_ops.backup.delivery import Delivery, unexpected, wanted_targets
from tinykit_ops.backup.errors import BackupBusyError, MissingUploadsError, local_failure
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.manifest import new_id
from tinykit_ops.backup.notify import Notifier
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.progress import Progress, Silent
from tinykit_ops.backup.snapshot import clear_leftovers, consistent_copy
from tinykit_ops.backup.uploads import list_uploads, missing
from tinykit_ops.errors import TinykitOpsError

ATTEMPTS = 3  #: when files that the database names are missing
RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class How:
    """How a run is made.

    Attributes:
        wait_seconds: for another run that holds the lock.
        log: is told what a person may want to read later.
        run: its id, in the log and for the hooks.
        prune: whether old snapshots may go after a success.
    """

    wait_seconds: float = 0.0
    log: Callable[[str], None] = lambda _: None
    progress: Progress = field(default_factory=Silent)
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    prune: bool = True


def run_backup(
    config: AgentConfig,
    places: Places | None = None,
    only: Sequence[str] = (),
    how: How | None = None,
) -> list[Outcome]:
    """Back up to all targets of the settings, or to some. A target that fails stops no other.

    Returns:
        One outcome a target; the status file, the metrics and the hooks say the same. A bug of
        ours is an outcome too, so that it is told wherever a failure is.

    Raises:
        BackupBusyError: another run holds the lock; nothing was noted.
        BackupSettingsError: there is no target, or not one of that name.
    """
    places, how = places or Places(), how or How()
    delivery = Delivery(config, places, wanted_targets(config, only), how.progress)
    with _told(Notifier(config, how.run), delivery, how) as notifier:

        def waiting(holder: str) -> None:
            how.log(f"waiting for another backup: {holder}")

        with only_one(places.lock, wait_seconds=how.wait_seconds, on_wait=waiting):
            notifier.started()
            try:
                clear_leftovers(places)
                _Run(config, places, delivery).go()
                delivery.learn_succeeded()
                if how.prune:
                    delivery.prune_succeeded()
            except TinykitOpsError as error:
                delivery.fail_pending(error)
            except OSError as error:
                delivery.fail_pending(local_failure(error))
            except Exception as error:
                delivery.fail_pending(unexpected(error))
    return list(delivery.outcomes.values())


@contextmanager
def _told(notifier: Notifier, delivery: Delivery, how: How) -> Iterator[Notifier]:
    """Hooks are told how it ended. Being turned away at the lock is told only by a run that was
    ready to wait: it is the scheduled one, and would be missed."""
    stopped: BaseException | None = None
    try:
        yield notifier
    except BaseException as error:
        stopped = error
        raise
    finally:
        if not isinstance(stopped, BackupBusyError) or how.wait_seconds:
            notifier.finished(list(delivery.outcomes.values()), stopped)
        for failure in notifier.failures:
            how.log(f"warning: {failure}")


class _Run:
    def __init__(self, config: AgentConfig, places: Places, delivery: Delivery) -> None:
        self.config = config
        self.places = places
        self.delivery = delivery

    def go(self) -> None:
        for name in self.delivery.volumes:
            self.delivery.guarded(name, self.delivery.snapshot_volume)
        for name in self.delivery.pending:
            self.delivery.guarded(name, self.delivery.open)
        if self.delivery.pending:
            self._snapshot_and_archive()

    def _snapshot_and_archive(self) -> None:
        """Try again with a new snapshot while uploads are missing: they may have been deleted
        between the copy of the database and our look."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                self._one_snapshot(retry_missing=not last)
            except MissingUploadsError as error:
                if last:
                    self.delivery.fail_pending(error)
            except TinykitOpsError as error:
                self.delivery.fail_pending(error)
            except OSError as error:
                self.delivery.fail_pending(local_failure(error))
            if not self.delivery.pending:
                return
            time.sleep(RETRY_SECONDS)

    def _one_snapshot(self, *, retry_missing: bool) -> None:
        began = datetime.now(UTC)
        with consistent_copy(self.places, self.config.secret(layout.HOOK_TOKEN)) as copy:
            contents = read_contents(copy)
            uploads = list_uploads(self.places.storage)
            lacking = sorted(contents.files.difference(uploads))
            if lacking and not contents.uploads_elsewhere:
                raise missing(lacking, self.places.storage)
            source = Source(
                id=new_id(began),
                created=began,
                copy=copy,
                contents=contents,
                storage=self.places.storage,
                uploads=uploads,
                boot=boot_tar(self.config, self.places).getvalue(),
                state=self.places.state,
                domains=self.config.settings.domains,
                pocketbase=pocketbase_version(self.places.pocketbase),
                release=release_in_use(self.places),
            )
            for name in self.delivery.pending:
                self.delivery.guarded(
                    name, lambda name: self.delivery.archive(name, source), retry_missing
                )
