"""Pruning from the command line: all targets, one after the other, and who is told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.delivery import unexpected, wanted_targets
from tinykit_ops.backup.errors import BackupError, local_failure
from tinykit_ops.backup.learn import learn
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.notify import BACKUP, PRUNE, VERIFY, Notifier
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.prune import Pruned
from tinykit_ops.backup.pruning import prune_one
from tinykit_ops.errors import TinykitOpsError


class MayNotPruneError(BackupError):
    """The credentials of a prune may not delete."""


@dataclass(frozen=True)
class How:
    """How it is done.

    Attributes:
        dry_run: only decide. Nobody is told.
        wait_seconds: for another run that holds the lock.
        log: is told what a person may want to read later.
    """

    dry_run: bool = False
    wait_seconds: float = 0.0
    log: Callable[[str], None] = lambda _: None
    run: str = field(default_factory=lambda: str(uuid.uuid4()))


def prune_targets(
    config: AgentConfig, places: Places, names: Sequence[str], how: How
) -> list[Outcome]:
    """Apply the retention of some targets, or of all. One that fails stops no other.

    Raises:
        BackupBusyError: a backup or another prune holds the lock.
        BackupSettingsError: there is no target, or not one of that name.
    """
    found = [Outcome(name) for name in wanted_targets(config, names)]
    notifier = Notifier(config, how.run, job=PRUNE, main_job=VERIFY if places.of else BACKUP)
    stopped: BaseException | None = None
    try:
        with only_one(places.lock, wait_seconds=how.wait_seconds):
            if not how.dry_run:
                notifier.started()
            for outcome in found:
                _prune(config, places, outcome, how)
    except BaseException as error:
        stopped = error
        raise
    finally:
        if not how.dry_run:
            notifier.finished(found, stopped)
        for failure in notifier.failures:
            how.log(f"warning: {failure}")
    return found


def _prune(config: AgentConfig, places: Places, outcome: Outcome, how: How) -> None:
    began = time.monotonic()
    try:
        if not how.dry_run:
            learn(config, places, outcome.target)
        outcome.pruned = prune_one(config, places, outcome.target, dry_run=how.dry_run)
        _tell(outcome, outcome.pruned)
    except TinykitOpsError as error:
        outcome.error = error
    except OSError as error:
        outcome.error = local_failure(error)
    except Exception as error:
        outcome.error = unexpected(error)
    outcome.seconds = time.monotonic() - began


def _tell(outcome: Outcome, pruned: Pruned) -> None:
    staying = sum(one.stays for one in pruned.decisions)
    outcome.said = f"{len(pruned.decisions) - staying} snapshot(s) went, {staying} stay"
    if pruned.denied:
        outcome.error = MayNotPruneError(
            f"these credentials may not delete: {pruned.denied}",
            hint="run `tinykit-ops backup prune` where others can, such as on a verifier",
        )
    elif pruned.locked:
        outcome.warnings.append(f"{len(pruned.locked)} object(s) are locked, and stay for now")
