"""What this host remembers of an install that it takes over; no secret is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tinykit_ops import layout
from tinykit_ops.adopt.model import Install
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.errors import StorageError, UsageError

FOLDER = Path(layout.ADOPTED_DIR)


class Record(BaseModel):
    """How far a conversion came.

    Attributes:
        state: `prepared` (a snapshot is there), `converting`, `done`, `back`.
        snapshot: of the old install while it ran, verified.
        aside: the old one is stopped, and its files are out of the way.
        placed: its data is where an instance has its own.
        rows: of each collection when it stopped.
        stopped: seconds of the kernel's clock when it stopped.
        away: how long nobody was served, in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["prepared", "converting", "done", "back"]
    install: Install
    begun: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    snapshot: str = ""
    aside: bool = False
    placed: bool = False
    rows: dict[str, int] = {}
    stopped: float = 0.0
    away: float = 0.0


class Journal:
    """The record on the disk.

    Args:
        folder: root's.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._file = folder / "journal.json"

    def read(self) -> Record | None:
        """The record; None when nothing was taken over here.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return Record.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise StorageError(
                f"What an adoption noted cannot be read ({type(error).__name__})",
                where=str(self._file),
                hint="the old install is described there; its files are beside it",
            ) from None

    def must_read(self) -> Record:
        """The record. Raises UsageError when there is none."""
        record = self.read()
        if record is None:
            raise UsageError(
                "No install was taken over on this host",
                where=str(self._file),
                hint="`tinykit-ops adopt HOST` does so",
            )
        return record

    def write(self, record: Record) -> Record:
        """Replace it, whole; returns it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        write_atomically(self._file, record.model_dump_json(indent=1).encode(), mode=0o600)
        return record

    def update(self, record: Record, **changes: object) -> Record:
        """Replace some of it; returns the new one."""
        return self.write(record.model_copy(update=changes))
