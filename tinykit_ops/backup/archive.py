"""Writing one snapshot to one target: parts first, then the manifest, then the index."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from tinykit_ops import __version__
from tinykit_ops.backup.archive_uploads import LANES, UploadsPart
from tinykit_ops.backup.database import Contents
from tinykit_ops.backup.errors import BackupError
from tinykit_ops.backup.holding import Holding
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
from tinykit_ops.backup.memory import give_back_memory
from tinykit_ops.backup.seal import WORKERS, Sealed, seal_whole
from tinykit_ops.backup.spool import Spool
from tinykit_ops.backup.stored import StoredUploads
from tinykit_ops.backup.streams import Measure, Whole
from tinykit_ops.backup.targets import Readable, Target
from tinykit_ops.backup.upload_hashes import UploadHashes

CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """What goes into a snapshot: the same for every target.

    Attributes:
        created: when the copy of the database was asked for.
        copy: of the database, in our own folder.
        uploads: paths relative to `storage`, listed after the copy was made.
        boot: the tar of what is needed to boot.
        state: this host's folder for what outlives a run, and only saves work.
    """

    id: str
    created: datetime
    copy: Path
    contents: Contents
    storage: Path
    uploads: Sequence[str]
    boot: bytes
    state: Path
    domains: Sequence[str]
    pocketbase: str
    release: str


class Archive:
    """The writing of one snapshot to one target. Call `write` once.

    Args:
        holding: extends the locks of what is reused, where the target locks.
    """

    def __init__(
        self,
        target: Target,
        source: Source,
        stored: StoredUploads,
        secret: bytes,
        holding: Holding | None = None,
    ) -> None:
        self._target = target
        self._source = source
        self._stored = stored
        self._secret = secret
        self._recipients = target.encryption
        self._spool = Spool(source.state / f"sealed-{target.name}")
        self._lock = threading.Lock()
        self._one_big = threading.Lock()
        self._holding = holding
        self._sent: set[str] = set()
        self.sent_bytes = 0

    def write(self) -> Index:
        """Send what the target lacks. Returns the index, which is in the target then.

        Raises:
            MissingUploadsError: a file that the database names went away meanwhile.
            BackupError: anything else; the target then holds no such snapshot.
        """
        give_back_memory()
        # The uploads first: what was sent of them is not sent again after a kill, while the next
        # run has another copy of the database.
        uploads = self._put_uploads()
        with self._source.copy.open("rb") as database:
            database_part = self._put_part("data.db", database, WORKERS)
        boot_part = self._put_part("boot.tar", io.BytesIO(self._source.boot))
        manifest = self._put_manifest(database_part, boot_part, uploads)
        index = self._index(manifest, database_part, boot_part, uploads)
        self._check_all_there(index)
        if self._holding is not None:
            self._holding.hold({stored.key for stored in index.uploads}, self._sent)
        self._stored.refuse_late()
        self._target.put(index_key(index.id), io.BytesIO(index.model_dump_json().encode()))
        self._stored.forget_journal()
        self._spool.clear()
        return index

    def _put_part(self, name: str, content: Readable, workers: int = 0) -> Part:
        ending = ".zst.age" if self._recipients else ".zst"
        return self._put(f"{folder(self._source.id)}{name}{ending}", content, workers)

    def _put(self, key: str, content: Readable, workers: int = 0) -> Part:
        with closing(Sealed(content, self._recipients, workers)) as sealed:
            self._target.put(key, sealed)
        self._count(key, sealed.sealed.size)
        return _part(key, sealed.plain, sealed.sealed)

    def _count(self, key: str, sent: int) -> None:
        with self._lock:
            self.sent_bytes += sent
            self._sent.add(key)

    # Uploads -----------------------------------------------------------------------------------

    def _put_uploads(self) -> list[tuple[Upload, Stored]]:
        source = self._source
        with UploadHashes(source.state / "upload-hashes.db") as hashes:
            hashes.keep_only(source.uploads)
            return UploadsPart(
                source.storage,
                source.contents.files,
                self._stored,
                hashes,
                (self._secret, self._recipients),
                self._put_upload,
            ).send(source.uploads)

    def _put_upload(self, key: str, content: Whole | BinaryIO, size: int) -> Part:
        """Small ones side by side; big ones one at a time, as streams: memory stays flat."""
        if isinstance(content, Whole):
            return self._put_small(key, content)
        if self._recipients and self._target.resumes and self._spool.has_room(size * LANES):
            return self._put_by_spool(key, content)
        with self._one_big:
            return self._found_there(key, content) or self._put(key, content)

    def _put_small(self, key: str, content: Whole) -> Part:
        sealed = seal_whole(content, self._recipients)
        self._target.put(key, sealed)
        self._count(key, sealed.measure.size)
        return _part(key, content.measure, sealed.measure)

    def _found_there(self, key: str, content: BinaryIO) -> Part | None:
        """Compressed anew, the same bytes come out the same, unless they are sealed to a key."""
        if self._recipients or not self._stored.lies_there(key):
            return None
        sealed = Sealed(content, [])
        while sealed.read(CHUNK):
            continue
        content.seek(0)
        part = _part(key, sealed.plain, sealed.sealed)
        return part if self._stored.is_same(part.stored) else None

    def _put_by_spool(self, key: str, content: BinaryIO) -> Part:
        part = self._spool.seal(key, content, self._recipients)
        with self._one_big, self._spool.open(key) as sealed:
            if not self._stored.is_same(part.stored):
                self._target.put(key, sealed)
                self._count(key, part.stored.size)
        self._spool.forget(key)
        return part

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
        lacking = {stored.key: stored.size for stored in index.objects}
        for prefix in (folder(index.id), UPLOADS):
            for found in self._target.list(prefix):
                if lacking.get(found.key) == found.size:
                    del lacking[found.key]
        if lacking:
            raise BackupError(
                f"Target {self._target.name!r} lacks {len(lacking)} object(s) that were stored",
                where=next(iter(lacking)),
                hint="does something else delete there? give every instance a prefix of its own",
            )


def _part(key: str, plain: Measure, sealed: Measure) -> Part:
    stored = Stored(key=key, size=sealed.size, sha256=sealed.sha256)
    return Part(stored=stored, size=plain.size, sha256=plain.sha256)
