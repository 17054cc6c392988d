"""What a restored copy has to hold, judged by what the writers noted."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

Row = tuple[int, int]  #: writer, number of its write


@dataclass(frozen=True)
class Logs:
    """The writers' notes."""

    folder: Path

    def _last(self, kind: str) -> dict[int, int]:
        """The last number that each writer noted so."""
        found = {}
        for path in sorted(self.folder.glob("writer*.log")):
            lines = [line for line in path.read_text().splitlines() if line.startswith(kind)]
            found[int(path.stem[6:])] = int(lines[-1].split()[1]) if lines else 0
        return found

    def sent(self) -> dict[int, int]:
        return self._last("s ")

    def acknowledged(self) -> dict[int, int]:
        return self._last("a ")

    def errors(self) -> list[str]:
        """Writes that were not acknowledged, and why."""
        return [
            f"{path.stem}: {line}"
            for path in sorted(self.folder.glob("writer*.log"))
            for line in path.read_text().splitlines()
            if line.startswith("e ")
        ]

    def latencies(self) -> list[float]:
        """Milliseconds of every acknowledged write, sorted."""
        return sorted(
            float(line.split()[2])
            for path in self.folder.glob("writer*.log")
            for line in path.read_text().splitlines()
            if line.startswith("a ")
        )


@dataclass
class Copy:
    """One restored copy: how many writes it holds, and a digest of them in their order."""

    count: int
    digest: str
    faults: list[str] = field(default_factory=list)


def look_at(data: Path, before: dict[int, int], after: dict[int, int]) -> Copy:
    """Judge a restored data folder.

    Args:
        before: what each writer had acknowledged when the backup was begun: all of it is inside.
        after: what each had sent when the backup was done: nothing else is inside.
    """
    rows, faults = _read(data)
    numbers: dict[int, list[int]] = {writer: [] for writer in before}
    for writer, seq in rows:
        numbers.setdefault(writer, []).append(seq)
    for writer, found in sorted(numbers.items()):
        if found != list(range(1, len(found) + 1)):
            faults.append(f"writer {writer}: a gap, or out of order, in its {len(found)} writes")
        if len(found) < before.get(writer, 0):
            faults.append(f"writer {writer}: {before[writer]} acknowledged, {len(found)} inside")
        if len(found) > after.get(writer, 0):
            faults.append(f"writer {writer}: {len(found)} inside, {after.get(writer)} ever sent")
    return Copy(len(rows), digest_of(rows), faults)


def _read(data: Path) -> tuple[list[Row], list[str]]:
    with closing(sqlite3.connect(f"{(data / 'data.db').as_uri()}?mode=ro", uri=True)) as database:
        said = [row[0] for row in database.execute("PRAGMA integrity_check")]
        faults = [] if said == ["ok"] else [f"integrity: {line}" for line in said]
        rows = database.execute("SELECT writer, seq FROM writes ORDER BY rowid").fetchall()
        (collection,) = database.execute(
            "SELECT id FROM _collections WHERE name = 'writes'"
        ).fetchone()
        files = database.execute("SELECT id, file, writer, seq FROM writes WHERE file <> ''")
        for record, name, writer, seq in files:
            path = data / "storage" / collection / record / name
            if not path.is_file() or path.read_bytes() != f"{writer:g}-{seq:g}".encode():
                faults.append(f"upload {path.name} is missing or another one")
    return [(int(writer), int(seq)) for writer, seq in rows], faults


def digest_of(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for writer, seq in rows:
        digest.update(f"{writer}:{seq}\n".encode())
    return digest.hexdigest()


def judge_all(live: Path, acknowledged: dict[int, int], copies: Sequence[Copy]) -> list[str]:
    """At the end, with PocketBase stopped: nothing that was acknowledged is lost, and every copy
    is the beginning of what the live database holds, in the order in which it was committed.

    Args:
        live: a copy of the data folder of the stopped PocketBase.
    """
    rows, faults = _read(live)
    held = set(rows)
    lost = [
        (writer, seq)
        for writer, last in acknowledged.items()
        for seq in range(1, last + 1)
        if (writer, seq) not in held
    ]
    faults += [f"acknowledged and lost: write {seq} of writer {writer}" for writer, seq in lost]
    for copy in copies:
        if digest_of(rows[: copy.count]) != copy.digest:
            faults.append(f"a copy of {copy.count} writes is not the beginning of the live data")
    return faults
