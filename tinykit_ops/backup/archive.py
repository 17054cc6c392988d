"""Writing one snapshot to one target: parts first, then the manifest, then the index."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tinykit_ops import __version__
from tinykit_ops.backup.database import Contents
from tinykit_ops.backup.errors import BackupError, MissingUploadsError
from tinykit_ops.backup.manifest import (
    UPLOADS,
    Index,
    Manifest,
    Part,
    Stored,
    Upload,
    folder,
    index_key,
)
from tinykit_ops.backup.seal import Sealed
from tinykit_ops.backup.stored import StoredUploads, upload_key
from tinykit_ops.backup.targets import Readable, Target
from tinykit_ops.backup.uploads import open_upload

CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """What goes into a snapshot: the same for every target.

    Attributes:
        created: when the copy of the database was asked for.
        copy: of the database, in our own folder.
        uploads: paths relative to `storage`, listed after the copy was made.
        boot: the tar of what is needed to boot.
    """

    id: str
    created: datetime
    copy: Path
    contents: Contents
    storage: Path
    uploads: Sequence[str]
    boot: bytes
    domains: Sequence[str]
    pocketbase: str
    release: str


class Archive:
    """The writing of one snapshot to one target. Call `write` once."""

    def __init__(self, target: Target, source: Source, stored: StoredUploads, secret: bytes):
        self._target = target
        self._source = source
        self._stored = stored
        self._secret = secret
        self._recipients = target.encryption
        self.sent_bytes = 0

    def write(self) -> Index:
        """Send what the target lacks. Returns the index, which is in the target then.

        Raises:
            MissingUploadsError: a file that the database names went away meanwhile.
            BackupError: anything else; the target then holds no such snapshot.
        """
        with self._source.copy.open("rb") as database:
            database_part = self._put_part("data.db", database)
        boot_part = self._put_part("boot.tar", io.BytesIO(self._source.boot))
        uploads = self._put_uploads()
        manifest = self._put_manifest(database_part, boot_part, uploads)
        index = self._index(manifest, database_part, boot_part, uploads)
        self._check_all_there(index)
        self._target.put(index_key(index.id), io.BytesIO(index.model_dump_json().encode()))
        self._stored.forget_journal()
        return index

    def _put_part(self, name: str, content: Readable) -> Part:
        ending = ".zst.age" if self._recipients else ".zst"
        return self._put(f"{folder(self._source.id)}{name}{ending}", content)

    def _put(self, key: str, content: Readable) -> Part:
        sealed = Sealed(content, self._recipients)
        self._target.put(key, sealed)
        self.sent_bytes += sealed.sealed.size
        stored = Stored(key=key, size=sealed.sealed.size, sha256=sealed.sealed.sha256)
        return Part(stored=stored, size=sealed.plain.size, sha256=sealed.plain.sha256)

    # Uploads -----------------------------------------------------------------------------------

    def _put_uploads(self) -> list[tuple[Upload, Stored]]:
        done: list[tuple[Upload, Stored]] = []
        for path in self._source.uploads:
            try:
                done.append(self._put_upload(path))
            except MissingUploadsError:
                if path in self._source.contents.files:
                    raise
                # No record names it: it was deleted since we listed, or is nobody's.
        return done

    def _put_upload(self, path: str) -> tuple[Upload, Stored]:
        with open_upload(self._source.storage, path) as file:
            digest = _sha256(file)
            size = file.tell()
            key = upload_key(self._secret, digest, self._recipients)
            stored = self._stored.find(key)
            if stored is None:
                file.seek(0)
                part = self._put(key, file)
                if part.sha256 != digest:
                    # PocketBase never changes a stored file; this one is still being written.
                    raise MissingUploadsError(
                        "An upload changed while it was read",
                        where=path,
                        hint="run the backup again",
                    )
                stored = part.stored
                self._stored.add(stored)
        return Upload(path=path, key=key, size=size, sha256=digest), stored

    # Papers ------------------------------------------------------------------------------------

    def _put_manifest(
        self, database: Part, boot: Part, uploads: Sequence[tuple[Upload, Stored]]
    ) -> Part:
        source = self._source
        manifest = Manifest(
            id=source.id,
            created=source.created,
            domains=list(source.domains),
            tinykit_ops=__version__,
            pocketbase=source.pocketbase,
            release=source.release,
            rows=source.contents.rows,
            uploads_elsewhere=source.contents.uploads_elsewhere,
            database=database,
            boot=boot,
            uploads=[upload for upload, _ in uploads],
        )
        return self._put_part("manifest.json", io.BytesIO(manifest.model_dump_json().encode()))

    def _index(
        self, manifest: Part, database: Part, boot: Part, uploads: Sequence[tuple[Upload, Stored]]
    ) -> Index:
        return Index(
            id=self._source.id,
            created=self._source.created,
            encrypted=bool(self._recipients),
            data_bytes=database.size + sum(upload.size for upload, _ in uploads),
            manifest=manifest.stored,
            parts=[database.stored, boot.stored],
            uploads=list({stored.key: stored for _, stored in uploads}.values()),
        )

    def _check_all_there(self, index: Index) -> None:
        """The last look before the snapshot counts: everything it names lies in the target."""
        held: dict[str, int] = {}
        for prefix in (folder(index.id), UPLOADS):
            held.update((found.key, found.size) for found in self._target.list(prefix))
        lacking = [stored.key for stored in index.objects if held.get(stored.key) != stored.size]
        if lacking:
            raise BackupError(
                f"Target {self._target.name!r} lacks {len(lacking)} object(s) that were stored",
                where=lacking[0],
                hint="does something else delete there? give every instance a prefix of its own",
            )


def _sha256(file: Readable) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
