"""How far an upgrade came, and which one was the last: two small files of root's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.manifest import SnapshotId
from tinykit_ops.errors import StorageError


class Upgrade(BaseModel):
    """One change of PocketBase's version.

    Attributes:
        before, after: the versions.
        snapshot: verified, of the data under `before`.
        at: when it was decided.
        away_ms: how long nobody answered; None when it was interrupted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str
    after: str
    snapshot: SnapshotId
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    away_ms: int | None = None


class Journal:
    """The upgrade that is at work, and the one that was done last.

    Args:
        folder: root's.
    """

    def __init__(self, folder: Path) -> None:
        self._begun = folder / "begun.json"
        self._done = folder / "done.json"

    def begun(self) -> Upgrade | None:
        """The one that is at work, or was interrupted."""
        return _read(self._begun)

    def done(self) -> Upgrade | None:
        """The one that can be taken back."""
        return _read(self._done)

    def begin(self, upgrade: Upgrade) -> None:
        """From now on there is something to finish or to take back."""
        write_atomically(self._begun, upgrade.model_dump_json().encode(), mode=0o600)

    def finish(self, upgrade: Upgrade) -> None:
        """It is done, and can be taken back."""
        write_atomically(self._done, upgrade.model_dump_json().encode(), mode=0o600)
        self._begun.unlink(missing_ok=True)

    def abandon(self) -> None:
        """It is taken back while at work; the one before it stays the last."""
        self._begun.unlink(missing_ok=True)

    def forget(self) -> None:
        """The last one was taken back."""
        self._done.unlink(missing_ok=True)


def _read(path: Path) -> Upgrade | None:
    try:
        return Upgrade.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"What an upgrade of PocketBase noted cannot be read ({type(error).__name__})",
            where=str(path),
            hint="look whether PocketBase serves, then remove this file",
        ) from None
