"""One backup: lock, look, snapshot, archive to every target, prune, tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.about import pocketbase_version, release_in_use
from tinykit_ops.backup.archive import Archive, Source
from tinykit_ops.backup.boot_part import boot_tar
from tinykit_ops.backup.database import read_contents
from tinykit_ops.backup.errors import (
    BackupSettingsError,
    MissingUploadsError,
    local_failure,
)
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.manifest import Index, new_id
from tinykit_ops.backup.metrics import write_metrics
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.prune import Pruned, prune
from tinykit_ops.backup.snapshot import clear_leftovers, consistent_copy
from tinykit_ops.backup.status import TargetStatus, note, read_status
from tinykit_ops.backup.stored import StoredUploads
from tinykit_ops.backup.targets import Target, open_target
from tinykit_ops.backup.uploads import list_uploads, missing
from tinykit_ops.errors import TinykitOpsError

ATTEMPTS = 3  #: when files that the database names are missing
RETRY_SECONDS = 2.0


@dataclass
class Outcome:
    """What became of one target in one run.

    Attributes:
        error: why there is no new snapshot; None when there is one.
        warnings: what a person should know although the snapshot is whole.
    """

    target: str
    index: Index | None = None
    error: TinykitOpsError | None = None
    sent_bytes: int = 0
    seconds: float = 0.0
    pruned: Pruned | None = None
    warnings: list[str] = field(default_factory=list)


def run_backup(
    config: AgentConfig, places: Places | None = None, only: Sequence[str] = ()
) -> list[Outcome]:
    """Back up to all targets of the settings, or to some. A target that fails stops no other.

    Returns:
        One outcome a target; the status file and the metrics say the same.

    Raises:
        BackupBusyError: another run holds the lock; nothing was noted.
        BackupSettingsError: there is no target, or not one of that name.
    """
    run = _Run(config, places or Places(), _wanted(config, only))
    with only_one(run.places.lock):
        clear_leftovers(run.places)
        run.go()
    return list(run.outcomes.values())


def _wanted(config: AgentConfig, only: Sequence[str]) -> list[str]:
    known = [target.name for target in config.settings.backup.targets]
    unknown = [name for name in only if name not in known]
    if unknown or not known:
        raise BackupSettingsError(
            f"There is no backup target named {unknown[0]!r}" if unknown else "No backup target",
            where="backup.targets",
            hint=f"known are: {', '.join(known) or 'none; add one to the inventory'}",
        )
    return [name for name in known if not only or name in only]


class _Run:
    def __init__(self, config: AgentConfig, places: Places, names: Sequence[str]) -> None:
        self.config = config
        self.places = places
        self.outcomes = {name: Outcome(name) for name in names}
        self._targets: dict[str, Target] = {}

    def go(self) -> None:
        for name in self.outcomes:
            self._guarded(name, self._open)
        if self._pending():
            self._snapshot_and_archive()
        for name in self.outcomes:
            if self.outcomes[name].index is not None:
                self._prune(name)

    def _open(self, name: str) -> None:
        target = open_target(self.config, name)
        target.check_writable()
        target.tidy()
        self._targets[name] = target

    # Snapshot and archive ----------------------------------------------------------------------

    def _snapshot_and_archive(self) -> None:
        """Try again with a new snapshot while uploads are missing: they may have been deleted
        between the copy of the database and our look."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                self._one_snapshot(retry_missing=not last)
            except MissingUploadsError as error:
                if last:
                    self._fail_pending(error)
            except TinykitOpsError as error:
                self._fail_pending(error)
            except OSError as error:
                self._fail_pending(local_failure(error))
            if not self._pending():
                return
            time.sleep(RETRY_SECONDS)

    def _one_snapshot(self, *, retry_missing: bool) -> None:
        began = datetime.now(UTC)
        secret = self.config.secret(layout.DEDUP_KEY).encode()
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
                pocketbase=pocketbase_version(self.places),
                release=release_in_use(self.places),
            )
            for name in self._pending():
                self._guarded(name, lambda name: self._archive(name, source, secret), retry_missing)

    def _archive(self, name: str, source: Source, secret: bytes) -> None:
        outcome, target = self.outcomes[name], self._targets[name]
        began = time.monotonic()
        stored = StoredUploads(target, self.places.state / f"sent-{name}.jsonl")
        archive = Archive(target, source, stored, secret)
        outcome.index = archive.write()
        outcome.sent_bytes = archive.sent_bytes
        outcome.seconds = time.monotonic() - began
        if source.contents.uploads_elsewhere:
            outcome.warnings.append(
                "PocketBase keeps uploads in S3: they are not in this snapshot; "
                "protect that bucket with its own versioning"
            )
        self._note(name, _succeeded(outcome))

    # After it ----------------------------------------------------------------------------------

    def _prune(self, name: str) -> None:
        """Only after a success. Its failure leaves too much, never too little, so it only warns."""
        outcome = self.outcomes[name]
        status = read_status(self.places.status)
        verified = status.targets[name].verified_snapshot if status else None
        try:
            outcome.pruned = prune(
                self._targets[name],
                self.config.settings.backup.retention,
                protected=[verified] if verified else [],
            )
        except TinykitOpsError as error:
            outcome.warnings.append(f"old snapshots were not pruned: {error.what}")

    # Failing -----------------------------------------------------------------------------------

    def _pending(self) -> list[str]:
        return [o.target for o in self.outcomes.values() if o.error is None and o.index is None]

    def _guarded(self, name: str, step: Callable[[str], None], retry_missing: bool = False) -> None:
        """Do one step for one target; its failure is that target's alone."""
        try:
            step(name)
        except TinykitOpsError as error:
            if not (retry_missing and isinstance(error, MissingUploadsError)):
                self._fail(name, error)
        except OSError as error:
            self._fail(name, local_failure(error))

    def _fail_pending(self, error: TinykitOpsError) -> None:
        for name in self._pending():
            self._fail(name, error)

    def _fail(self, name: str, error: TinykitOpsError) -> None:
        self.outcomes[name].error = error
        self._note(
            name,
            lambda known: known.model_copy(
                update={"last_failure": datetime.now(UTC), "error": str(error)}
            ),
        )

    def _note(self, name: str, change: Callable[[TargetStatus], TargetStatus]) -> None:
        write_metrics(note(name, change, self.places.status), self.places.metrics)


def _succeeded(outcome: Outcome) -> Callable[[TargetStatus], TargetStatus]:
    index = outcome.index
    assert index is not None  # noqa: S101
    return lambda known: known.model_copy(
        update={
            "last_success": datetime.now(UTC),
            "snapshot": index.id,
            "data_bytes": index.data_bytes,
            "sent_bytes": outcome.sent_bytes,
            "seconds": outcome.seconds,
        }
    )
