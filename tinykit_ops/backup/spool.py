"""Sealed objects on this host's disk, so that sending a big one can be continued after a kill.

age seals the same bytes differently every time. Only sealed bytes that are kept can be compared
with the parts that a killed run sent. What lies here is sealed, as it lies in the target.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.manifest import Part, Stored
from tinykit_ops.backup.seal import Sealed
from tinykit_ops.backup.streams import Meter
from tinykit_ops.backup.targets import Readable

CHUNK = 1 << 20
SPARE_BYTES = 512 << 20  #: the disk is never filled closer than this


class Spool:
    """One target's folder of sealed objects.

    Args:
        folder: made when it is needed, for root alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has_room(self, size: int) -> bool:
        """Whether an object of so many plain bytes can be kept."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self._folder).free > size + size // 100 + SPARE_BYTES

    def seal(self, key: str, content: Readable, recipients: Sequence[str]) -> Part:
        """Seal into the spool, or take what a killed run left there.

        Raises:
            SealError: the content could not be read.
            OSError: this host's disk failed.
        """
        kept = self._kept(key)
        if kept is not None:
            return kept
        with closing(Sealed(content, recipients)) as sealed, self._file(key).open("wb") as file:
            self._file(key).chmod(0o600)
            while chunk := sealed.read(CHUNK):
                file.write(chunk)
        stored = Stored(key=key, size=sealed.sealed.size, sha256=sealed.sealed.sha256)
        part = Part(stored=stored, size=sealed.plain.size, sha256=sealed.plain.sha256)
        write_atomically(self._note(key), part.model_dump_json().encode(), mode=0o600)
        return part

    def open(self, key: str) -> BinaryIO:
        """The sealed bytes."""
        return self._file(key).open("rb")

    def forget(self, key: str) -> None:
        """It was sent."""
        self._note(key).unlink(missing_ok=True)
        self._file(key).unlink(missing_ok=True)

    def clear(self) -> None:
        """Nothing of it is needed any more."""
        if self._folder.is_dir():
            shutil.rmtree(self._folder)

    def _kept(self, key: str) -> Part | None:
        """The note comes after the bytes; a power cut may have lost some of them nevertheless."""
        try:
            part = Part.model_validate_json(self._note(key).read_bytes())
            with self.open(key) as file:
                meter = Meter(file)
                while meter.read(CHUNK):
                    continue
        except (FileNotFoundError, ValidationError):
            return None
        same = meter.measure.sha256 == part.stored.sha256 and part.stored.key == key
        return part if same else None

    def _file(self, key: str) -> Path:
        return self._folder / Path(key).name

    def _note(self, key: str) -> Path:
        return self._folder / f"{Path(key).name}.json"
