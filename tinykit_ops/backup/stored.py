"""Uploads that a target holds already, so that each content is sent once.

An object is taken as held only when it lies in the target with the right size *and* the hash of
its sealed bytes is known: from an index, or from the journal of a run that was interrupted.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tinykit_ops.backup.catalog import read_index, snapshot_ids
from tinykit_ops.backup.errors import BackupError, BackupSettingsError, DamagedError
from tinykit_ops.backup.manifest import UPLOADS, Stored
from tinykit_ops.backup.streams import Meter
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.unnamed import Doomed, Stopwatch

CHUNK = 1 << 20
_LINE = TypeAdapter(Stored)  #: of the journal
VARIANTS = 4  #: of a key are looked for; a second one is rare already


def upload_key(secret: bytes, sha256: str, recipients: Sequence[str]) -> str:
    """The name of an upload's object.

    It is keyed, so that nobody who reads the bucket can tell whether a file they know is in it;
    and it depends on the recipients, so that after a change of keys content is sealed anew.
    """
    text = "\n".join([sha256, *sorted(recipients)]).encode()
    name = hmac.new(secret, text, hashlib.sha256).hexdigest()
    return f"{UPLOADS}{name[:2]}/{name}.zst{'.age' if recipients else ''}"


def _variant(key: str, number: int) -> str:
    name, dot, ending = key.partition(".")
    return f"{name}-{number}{dot}{ending}" if number else key


class StoredUploads:
    """What one target holds of uploads; several threads may ask and add.

    Args:
        journal: a file of this host; it outlives a killed run.
    """

    def __init__(self, target: Target, journal: Path) -> None:
        self._watch, self._doomed = Stopwatch(), Doomed(target)  # before anything is listed
        self._target = target
        self._journal = journal
        self._sizes = {found.key: found.size for found in target.list(UPLOADS)}
        self._known: dict[str, Stored] = {}
        self._unread = snapshot_ids(target)
        self._blind = False  #: some index names we do not know what
        self._lock = threading.RLock()
        for stored in _read_journal(journal):
            if stored.key not in self._doomed:
                self._learn(stored)

    def place(self, key: str) -> str:
        """Where content of that key lies, or is to be sent.

        Never where a prune may be removing (see `unnamed`), and never over what an index that
        cannot be read may name.

        Raises: TargetError when an index cannot be had.
        """
        for number in range(VARIANTS):
            if self.find(_variant(key, number)) is not None:
                return _variant(key, number)
        return next(one for one in map(partial(_variant, key), count()) if self._is_free(one))

    def _is_free(self, key: str) -> bool:
        """Content that is sealed anew has other bytes: an older snapshot would be bad with it."""
        if key in self._doomed:
            return False
        return key not in self._sizes or self.find(key) is not None or not self._blind

    def refuse_late(self) -> None:
        """Raises BackupError when too much time has passed to rely on what was found."""
        self._watch.refuse_late()

    def find(self, key: str) -> Stored | None:
        """The object of that key when it is held for sure."""
        with self._lock:
            # Older indexes are read only when the object is there and no newer one names it.
            while key in self._sizes and key not in self._known and self._unread:
                self._learn_from(self._unread.pop())
            return self._known.get(key)

    def _learn_from(self, snapshot: str) -> None:
        try:
            index = read_index(self._target, snapshot)
        except (DamagedError, BackupSettingsError):
            # Damaged, of a newer format, or pruned meanwhile. A target that fails is no such case:
            # all that it holds would look as if no snapshot named it.
            self._blind = True
            return
        for stored in index.uploads:
            self._learn(stored)

    def lies_there(self, key: str) -> bool:
        """Whether there is an object of that key that no index and no journal vouches for."""
        with self._lock:
            return key in self._sizes and self.find(key) is None

    def is_same(self, stored: Stored) -> bool:
        """Read what lies there back: is it these bytes? A run that was killed while the target
        put the last part to the others knew nothing of it."""
        if self._sizes.get(stored.key) != stored.size:
            return False
        try:
            with self._target.get(stored.key) as stream:
                meter = Meter(stream)
                while meter.read(CHUNK):
                    continue
        except BackupError:
            return False  # sending it again is always right
        return meter.measure.sha256 == stored.sha256

    def add(self, stored: Stored) -> None:
        """Remember an object that was just sent, also across a kill.

        Not across a power cut: a line that is lost only means that an object is sent again.
        """
        with self._lock:
            self._sizes[stored.key] = stored.size
            self._known[stored.key] = stored
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            with self._journal.open("a") as file:
                file.write(_LINE.dump_json(stored).decode() + "\n")

    def forget_journal(self) -> None:
        """An index names all of it now."""
        self._journal.unlink(missing_ok=True)

    def _learn(self, stored: Stored) -> None:
        if self._sizes.get(stored.key) == stored.size:
            self._known.setdefault(stored.key, stored)


def _read_journal(path: Path) -> list[Stored]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    found: list[Stored] = []
    for line in lines:
        try:
            found.append(_LINE.validate_json(line))
        except ValidationError:
            continue  # the last line of a killed run
    return found
