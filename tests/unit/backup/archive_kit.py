"""A small instance on disk whose snapshots go to a folder, without a PocketBase."""

from __future__ import annotations

import io
import sqlite3
import tarfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage

from tinykit_ops.backup.archive import Archive, Source
from tinykit_ops.backup.database import read_contents
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.manifest import Index, new_id
from tinykit_ops.backup.stored import StoredUploads
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.targets.directory import DirectoryStore
from tinykit_ops.backup.uploads import list_uploads
from tinykit_ops.backup.verify import Verdict, verify
from tinykit_ops.settings.backup_targets import DirectoryTarget

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


class Small:
    """One record with one upload, and a target; a day passes with each backup."""

    def __init__(self, root: Path, *, sealed: bool = True) -> None:
        self.folder = root / "target"
        self.data = root / "pb_data"
        self.state = root / "state"
        for folder in (self.folder, self.data / "storage", self.state):
            folder.mkdir(parents=True)
        key = pyrage.x25519.Identity.generate()
        self.identities: list[Identity] = [key] if sealed else []
        encryption = [str(key.to_public())] if sealed else "none"
        settings = {"kind": "directory", "name": "disk", "path": str(self.folder)}
        self.target = DirectoryStore(
            DirectoryTarget.model_validate({**settings, "encryption": encryption})
        )
        self._days = 0
        with closing(sqlite3.connect(self.data / "data.db")) as database:
            database.executescript("""
                create table _collections(id text, name text, fields text, type text);
                create table _params(id text, value text);
                create table docs(id text, paper text);
                insert into _collections values
                    ('c1', 'docs', '[{"name": "paper", "type": "file"}]', 'base');
                insert into docs values('r1', 'a.txt');
            """)
        self.upload("c1/r1/a.txt", b"hello world" * 1000)

    def upload(self, path: str, content: bytes) -> None:
        file = self.data / "storage" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def backup(self, target: Target | None = None) -> Index:
        target = target or self.target
        stored = StoredUploads(target, self.state / "sent.jsonl")
        index = Archive(target, self._source(), stored, b"secret").write()
        self._days += 1
        return index

    def verify(self, index: Index) -> Verdict:
        return verify(self.target, index.id, self.identities)

    def _source(self) -> Source:
        when = BEGAN + timedelta(days=self._days)
        boot = io.BytesIO()
        with tarfile.open(fileobj=boot, mode="w"):
            pass
        return Source(
            id=new_id(when),
            created=when,
            copy=self.data / "data.db",
            contents=read_contents(self.data / "data.db"),
            storage=self.data / "storage",
            uploads=list_uploads(self.data / "storage"),
            boot=boot.getvalue(),
            state=self.state,
            domains=["apps.example.com"],
            pocketbase="0.40.6",
            release="0123456789ab",
        )
