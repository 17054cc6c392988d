"""Opening a stored snapshot, changing it, and sealing it again so that every hash fits."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from fault_damage import Store

from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.seal import Sealed
from tinykit_ops.backup.unseal import unseal

Papers = dict[str, Any]


class Reseal:
    """Opens one snapshot, lets somebody change it, and seals it again with hashes that fit.

    Attributes:
        index, manifest: as JSON; `written` applies them.
        database: the path of the plain database.
    """

    def __init__(self, store: Store, snapshot: str, folder: Path) -> None:
        self.store, self.base = store, store.folder / "snapshots" / snapshot
        self._keys = read_identities(Path(store.identity[1])) if store.identity else []
        self.recipients = [store.public] if store.public else []
        self.index: Papers = json.loads((self.base / "index.json").read_text())
        self.manifest: Papers = json.loads(self.open(self.path("manifest.json")))
        self.database = folder / "reseal.db"
        self.database.write_bytes(self.open(self.path("data.db")))

    def path(self, kind: str) -> Path:
        return next(self.base.glob(f"{kind}*"))

    def open(self, path: Path) -> bytes:
        plain = io.BytesIO()
        unseal(io.BytesIO(path.read_bytes()), plain, self._keys)
        return plain.getvalue()

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.database)) as database:
            database.execute(statement)
            database.commit()

    def written(self) -> dict[Path, bytes | None]:
        """The files of the snapshot, with what was changed."""
        sealed_db, part = self._sealed("data.db", self.database.read_bytes())
        self.manifest["database"] = part
        sealed_manifest, paper = self._sealed("manifest.json", json.dumps(self.manifest).encode())
        self.index["manifest"] = paper["stored"]
        self.index["parts"][0] = part["stored"]
        sizes = [part["size"], *(one["size"] for one in self.manifest["uploads"])]
        self.index["data_bytes"] = sum(sizes)
        return {
            self.path("data.db"): sealed_db,
            self.path("manifest.json"): sealed_manifest,
            self.base / "index.json": json.dumps(self.index).encode(),
        }

    def _sealed(self, kind: str, plain: bytes) -> tuple[bytes, Papers]:
        sealed = Sealed(io.BytesIO(plain), self.recipients)
        pieces = []
        while piece := sealed.read(1 << 20):
            pieces.append(piece)
        content, key = b"".join(pieces), self.path(kind).relative_to(self.store.folder).as_posix()
        stored = {"key": key, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        digest = hashlib.sha256(plain).hexdigest()
        return content, {"stored": stored, "size": len(plain), "sha256": digest}
