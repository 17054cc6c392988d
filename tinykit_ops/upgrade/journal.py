"""How far an upgrade came, and which one was the last: two small files of root's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tinykit_ops.backup.files import remove, write_atomically
from tinykit_ops.backup.manifest import SnapshotId
from tinykit_ops.errors import StorageError
from tinykit_ops.host.booted import boot_id


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


class Begun(Upgrade):
    """One that is at work, or was cut off.

    Attributes:
        boot: of the host, when it began; empty when an older agent began it.
        going_back: the new version was not well, and the data from before is on its way back.
    """

    boot: str = ""
    going_back: bool = False

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the host has not been started anew since."""
        return self.boot == boot_id()

    def __str__(self) -> str:
        return (
            f"replacing PocketBase {self.before} by {self.after} was cut off: the next deploy "
            "finishes it, or takes it back"
        )


_Noted = TypeVar("_Noted", bound=Upgrade)


class Journal:
    """The upgrade that is at work, and the one that was done last.

    Args:
        folder: root's.
    """

    def __init__(self, folder: Path) -> None:
        self._begun = folder / "begun.json"
        self._done = folder / "done.json"

    def begun(self) -> Begun | None:
        """The one that is at work, or was interrupted."""
        return _read(self._begun, Begun)

    def done(self) -> Upgrade | None:
        """The one that can be taken back."""
        return _read(self._done, Upgrade)

    def begin(self, upgrade: Upgrade) -> None:
        """From now on there is something to finish or to take back."""
        self._note(Begun(**upgrade.model_dump(), boot=boot_id()))

    def go_back(self) -> None:
        """The one at work is about to be taken back."""
        begun = self.begun()
        if begun is not None:
            self._note(begun.model_copy(update={"going_back": True}))

    def finish(self, upgrade: Upgrade) -> None:
        """It is done, and can be taken back."""
        told = upgrade.model_dump_json(include=set(Upgrade.model_fields))
        write_atomically(self._done, told.encode(), mode=0o600)
        remove(self._begun)

    def abandon(self) -> None:
        """It is taken back while at work; the one before it stays the last."""
        remove(self._begun)

    def forget(self) -> None:
        """The last one was taken back."""
        remove(self._done)

    def _note(self, begun: Begun) -> None:
        write_atomically(self._begun, begun.model_dump_json().encode(), mode=0o600)


def _read(path: Path, kind: type[_Noted]) -> _Noted | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"What an upgrade of PocketBase noted cannot be read ({type(error).__name__})",
            where=str(path),
            hint="look whether PocketBase serves, then remove this file",
        ) from None
