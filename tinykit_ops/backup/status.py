"""What the last backups came to: one small file that anybody on the host may read.

It names no secret. `tinykit-ops backup status`, the check for a fresh backup and the metrics all
read it, so that none of them needs the target's credentials.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from tinykit_ops import layout
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.errors import StorageError

STATUS_FILE = Path(layout.BACKUP_STATUS)
JUST_BEFORE = timedelta(minutes=1)  #: more than passes between an event and its note
_TIMES = ("first_success", "last_success", "last_failure", "last_verified", "last_verify_failure")


class TargetStatus(BaseModel):
    """The history of one target, as far as it matters: the last of each kind of event."""

    model_config = ConfigDict(frozen=True)

    first_success: AwareDatetime | None = None  #: since when there is something to verify
    last_success: AwareDatetime | None = None  #: when the last complete snapshot was finished
    snapshot: str | None = None  #: its id
    data_bytes: int = 0  #: size of what it holds: database and uploads, uncompressed
    sent_bytes: int = 0  #: what travelled to the target for it
    seconds: float = 0.0  #: how long it took
    last_failure: AwareDatetime | None = None
    error: str | None = None  #: of the last failure
    last_verified: AwareDatetime | None = None  #: when a restored copy was last found good
    verified_snapshot: str | None = None
    verified_by: str | None = None  #: name of the host that found so
    last_verify_failure: AwareDatetime | None = None
    verify_error: str | None = None
    verify_runs: int = 0  #: which part of the uploads is the next to be read is counted by it

    @property
    def failing(self) -> bool:
        """Whether the latest attempt failed."""
        if self.last_failure is None:
            return False
        return self.last_success is None or self.last_failure > self.last_success

    def age_hours(self, now: datetime | None = None) -> float | None:
        """Hours since the last success; None when there was none."""
        if self.last_success is None:
            return None
        return ((now or datetime.now(UTC)) - self.last_success).total_seconds() / 3600


class BackupStatus(BaseModel):
    """The state of all targets of this host, by name."""

    model_config = ConfigDict(frozen=True)

    format: int = 1
    targets: dict[str, TargetStatus] = {}


def read_status(path: Path = STATUS_FILE) -> BackupStatus | None:
    """The status file, or None when no backup was ever tried.

    Raises:
        StorageError: it is there but cannot be read or understood.
    """
    try:
        return BackupStatus.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"The backup status cannot be read ({type(error).__name__})",
            where=str(path),
            hint="the next `tinykit-ops backup run` writes a new one",
        ) from None


def known_of(target: str, path: Path = STATUS_FILE) -> TargetStatus:
    """What is known of one target. Raises StorageError as `read_status` does."""
    status = read_status(path)
    return status.targets.get(target, TargetStatus()) if status else TargetStatus()


def note(
    target: str, change: Callable[[TargetStatus], TargetStatus], path: Path = STATUS_FILE
) -> BackupStatus:
    """Change what is known of one target and write the file. Returns all of it.

    A file that cannot be read is replaced: the present matters more than a broken past. What is
    noted by now did not happen in the future, whatever a clock that was ahead said then.
    """
    try:
        status = read_status(path) or BackupStatus()
    except StorageError:
        status = BackupStatus()
    changed = change(_without_future(status.targets.get(target, TargetStatus())))
    status = BackupStatus(targets={**status.targets, target: changed})
    write_atomically(path, status.model_dump_json(indent=2).encode() + b"\n")
    return status


def _without_future(known: TargetStatus) -> TargetStatus:
    """Times from the future become times just before now, in their order: else one success that a
    wrong clock dated hides all failures until then."""
    now = datetime.now(UTC)
    times = {name: getattr(known, name) for name in _TIMES}
    future = [name for name, time in times.items() if time is not None and time > now]
    future.sort(key=lambda name: times[name], reverse=True)
    update = {
        name: now - JUST_BEFORE - timedelta(microseconds=rank) for rank, name in enumerate(future)
    }
    return known.model_copy(update=update)
