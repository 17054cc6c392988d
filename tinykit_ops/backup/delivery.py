"""Bringing one snapshot to several targets: what fails for one stops no other."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.archive import Archive, Source
from tinykit_ops.backup.errors import BackupSettingsError, MissingUploadsError, local_failure
from tinykit_ops.backup.holding import Holding, Locking
from tinykit_ops.backup.learn import learn
from tinykit_ops.backup.metrics import write_metrics
from tinykit_ops.backup.outcome import Outcome, UnexpectedError
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.progress import Progress, watched
from tinykit_ops.backup.pruning import prune_one
from tinykit_ops.backup.status import TargetStatus, note, read_status
from tinykit_ops.backup.stored import StoredUploads
from tinykit_ops.backup.targets import Target, open_target
from tinykit_ops.backup.targets.volume import is_volume_target, open_volume
from tinykit_ops.backup.volumes import snapshot_volume
from tinykit_ops.errors import StorageError, TinykitOpsError

ELSEWHERE = (
    "PocketBase keeps uploads in S3: they are not in this snapshot; "
    "protect that bucket with its own versioning"
)


def wanted_targets(config: AgentConfig, only: Sequence[str]) -> list[str]:
    """The names of the targets that are meant: all, or some.

    Raises:
        BackupSettingsError: there is no target, or not one of that name.
    """
    known = [target.name for target in config.settings.backup.targets]
    unknown = [name for name in only if name not in known]
    if unknown or not known:
        raise BackupSettingsError(
            f"There is no backup target named {unknown[0]!r}" if unknown else "No backup target",
            where="backup.targets",
            hint=f"known are: {', '.join(known) or 'none; add one to the inventory'}",
        )
    return [name for name in known if not only or name in only]


class Delivery:
    """The targets of one run, and what becomes of each.

    Args:
        noted: whether status file and metrics are told; not of what is no backup of now.
    """

    def __init__(
        self,
        config: AgentConfig,
        places: Places,
        names: Sequence[str],
        progress: Progress,
        *,
        noted: bool = True,
    ) -> None:
        self._noted = noted
        self.outcomes = {name: Outcome(name) for name in names}
        self._config = config
        self._places = places
        self._progress = progress
        self._targets: dict[str, Target] = {}

    @property
    def pending(self) -> list[str]:
        """Targets that neither have the snapshot nor failed."""
        return [outcome.target for outcome in self.outcomes.values() if outcome.pending]

    @property
    def volumes(self) -> list[str]:
        """Those of the pending that snapshot a volume, and get no archive."""
        return [name for name in self.pending if is_volume_target(self._config, name)]

    def snapshot_volume(self, name: str) -> None:
        """Snapshot the disk itself: it needs no copy of the database."""
        began = time.monotonic()
        taken = snapshot_volume(open_volume(self._config, name), self._places.data)
        outcome = self.outcomes[name]
        outcome.snapshot, outcome.seconds = taken.id, time.monotonic() - began
        self._note(name, _succeeded(outcome))

    def open(self, name: str) -> None:
        """See that a target can be written to."""
        target = open_target(self._config, name)
        target.check_writable()
        target.tidy()
        self._targets[name] = target

    def archive(self, name: str, source: Source) -> None:
        """Write the snapshot to one target."""
        outcome, target = self.outcomes[name], watched(self._targets[name], self._progress)
        began = time.monotonic()
        stored = StoredUploads(target, self._places.state / f"sent-{name}.jsonl")
        secret = self._config.secret(layout.DEDUP_KEY).encode()
        holding = self._holding(name)
        archive = Archive(target, source, stored, secret, holding)
        outcome.index = archive.write()
        outcome.snapshot = outcome.index.id
        outcome.sent_bytes = archive.sent_bytes
        outcome.seconds = time.monotonic() - began
        if source.contents.uploads_elsewhere:
            outcome.warnings.append(ELSEWHERE)
        if holding is not None and holding.fault:
            outcome.warnings.append(
                f"uploads that were sent before keep the lock they had: {holding.fault}"
            )
        self._note(name, _succeeded(outcome))

    def _holding(self, name: str) -> Holding | None:
        target = self._targets[name]
        memory = self._places.state / f"locks-{name}.json"
        return Holding(target, memory) if isinstance(target, Locking) and target.lock else None

    def learn_succeeded(self) -> None:
        """Note what verifiers found elsewhere. Backups do not depend on that."""
        for name, outcome in self.outcomes.items():
            if outcome.snapshot is None or not self._noted:
                continue
            try:
                learn(self._config, self._places, name)
            except OSError as error:
                outcome.warnings.append(f"what verifiers found could not be noted: {_why(error)}")
            except Exception as error:
                outcome.warnings.append(f"what verifiers found could not be read: {_why(error)}")

    def prune_succeeded(self) -> None:
        """Only after a success. Its failure leaves too much, never too little, so it only warns."""
        for name, outcome in self.outcomes.items():
            if outcome.snapshot is None:
                continue
            try:
                outcome.pruned = prune_one(self._config, self._places, name, dry_run=False)
            except Exception as error:
                outcome.warnings.append(f"old snapshots were not pruned: {_why(error)}")

    def tell_what_goes_soon(self) -> None:
        """Warn when the retention keeps none of what was just stored, because it is old."""
        for name, outcome in self.outcomes.items():
            if outcome.index is None:
                continue
            plan = prune_one(self._config, self._places, name, dry_run=True)
            if any(one.id == outcome.snapshot and not one.stays for one in plan.decisions):
                outcome.warnings.append(
                    "no rule of the retention keeps it: the next prune removes it, unless it is "
                    "the last verified one by then"
                )

    # Failing -----------------------------------------------------------------------------------

    def guarded(self, name: str, step: Callable[[str], None], retry_missing: bool = False) -> None:
        """Do one step for one target; its failure is that target's alone, a bug of ours too."""
        try:
            step(name)
        except TinykitOpsError as error:
            if not (retry_missing and isinstance(error, MissingUploadsError)):
                self.fail(name, error)
        except OSError as error:
            self.fail(name, local_failure(error))
        except Exception as error:
            self.fail(name, unexpected(error))

    def fail_pending(self, error: TinykitOpsError) -> None:
        """What stops the whole run stops every target that is not done."""
        for name in self.pending:
            self.fail(name, error)

    def fail(self, name: str, error: TinykitOpsError) -> None:
        """Note that a target got nothing."""
        self.outcomes[name].error = error
        self._note(name, failed(error))

    def _note(self, name: str, change: Callable[[TargetStatus], TargetStatus]) -> None:
        """A disk that takes no note makes no snapshot undone, and hides no failure."""
        if not self._noted:
            return
        try:
            write_metrics(note(name, change, self._places.status), self._places.metrics)
        except OSError as error:
            why = f"{error.strerror or type(error).__name__}, {error.filename or 'no name'}"
            self.outcomes[name].warnings.append(f"this could not be noted on this host ({why})")


def _why(error: Exception) -> str:
    """What a warning says of a failure that undoes no snapshot, a bug of ours among them."""
    if isinstance(error, TinykitOpsError):
        return error.what
    if isinstance(error, OSError):
        return local_failure(error).what
    return unexpected(error).what


def unexpected(error: Exception) -> UnexpectedError:
    """A bug, by its kind and its place alone."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " → ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return UnexpectedError(
        f"A bug in tinykit-ops stopped the backup ({type(error).__name__})",
        where=place,
        hint="please report it; run it by hand to see whether it comes back",
    )


def failed(error: TinykitOpsError) -> Callable[[TargetStatus], TargetStatus]:
    """The change of a target's status after a failure."""
    update = {"last_failure": datetime.now(UTC), "error": str(error)}
    return lambda known: known.model_copy(update=update)


def note_everywhere(places: Places, error: TinykitOpsError) -> None:
    """Note a failure for every target of former runs, when not even the settings can be read."""
    try:
        status = read_status(places.status)
        for name in status.targets if status else []:
            write_metrics(note(name, failed(error), places.status), places.metrics)
    except (OSError, StorageError):
        return  # nobody who may not write here ever made a backup


def _succeeded(outcome: Outcome) -> Callable[[TargetStatus], TargetStatus]:
    now = datetime.now(UTC)
    update = {
        "last_success": now,
        "snapshot": outcome.snapshot,
        "data_bytes": outcome.index.data_bytes if outcome.index else 0,
        "sent_bytes": outcome.sent_bytes,
        "seconds": outcome.seconds,
    }
    return lambda known: known.model_copy(
        update={**update, "first_success": known.first_success or known.last_success or now}
    )
