"""The ones that are compared: what a skilled user would type for each."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from benchmarks.backup.errors import BenchmarkError
from benchmarks.backup.measuring import Command, Took, run
from benchmarks.backup.site import Bucket, Copied, Site, after_copy
from tinykit_ops.artifacts import local_binary

UPLOADS, DATABASE = "uploads", "database"


class Tool(ABC):
    """One way to make backups, to one bucket.

    Attributes:
        name: for people.
    """

    name: str

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.new_folder(type(self).__name__.lower())
        self.bucket: Bucket | None = None

    def fresh(self) -> None:
        """Begin in an empty bucket; not timed."""
        if self.bucket is not None:
            self.bucket.remove()
        self.bucket = Bucket(self.site)
        self.prepare(self.bucket)

    def prepare(self, bucket: Bucket) -> None:
        """What has to be done once for a bucket: nothing, for most."""
        return

    @abstractmethod
    def back_up(self) -> Took:
        """Everything: a copy of the database, too."""

    def second_run(self) -> dict[str, int]:
        """Back up again. Returns the bytes that came into the bucket, for uploads and database
        where they can be told apart."""
        self.need_bucket.mark()
        self.back_up()
        return {"all": self.need_bucket.new_bytes()}

    @abstractmethod
    def restore(self, to: Path) -> Took:
        """Bring uploads and database back, into an empty folder."""

    def verify(self) -> Took | None:
        """Prove as much as the tool can; None when it proves nothing."""
        return None

    @property
    def need_bucket(self) -> Bucket:
        """The bucket. Raises: BenchmarkError before `fresh`."""
        if self.bucket is None:
            raise BenchmarkError(f"{self.name} has no bucket yet")
        return self.bucket

    def pipe(self, *commands: Command, environment: Mapping[str, str] | None = None) -> Took:
        """Run commands, each reading what the one before writes."""
        return run(commands, environment or self.rclone_environment, self.folder)

    # rclone brings streams and files of those who have no S3 of their own ------------------------

    @property
    def rclone(self) -> str:
        """The program, in the version that is pinned for the lab."""
        return str(local_binary("rclone"))

    @property
    def rclone_environment(self) -> dict[str, str]:
        """Its remote `b:`; secrets travel by environment only."""
        keys = self.site.s3_environment
        return {
            "RCLONE_CONFIG": str(self.folder / "no-file.conf"),
            "RCLONE_CONFIG_B_TYPE": "s3",
            "RCLONE_CONFIG_B_PROVIDER": "Rclone",
            "RCLONE_CONFIG_B_ENDPOINT": self.site.s3.endpoint,
            "RCLONE_CONFIG_B_ACCESS_KEY_ID": keys["AWS_ACCESS_KEY_ID"],
            "RCLONE_CONFIG_B_SECRET_ACCESS_KEY": keys["AWS_SECRET_ACCESS_KEY"],
            "RCLONE_S3_CHUNK_SIZE": "8M",
        }


class Tar(Tool):
    """`tar | zstd -3`, sealed with age or not, into one object."""

    def __init__(self, site: Site, recipient: str = "", identity: Path | None = None) -> None:
        super().__init__(site)
        self.name = "tar | zstd -3 | age" if recipient else "tar | zstd -3"
        self._seal = [["age", "--recipient", recipient]] if recipient else []
        self._open = [["age", "--decrypt", "--identity", str(identity)]] if identity else []

    @property
    def _object(self) -> str:
        return f"b:{self.need_bucket.name}/backup.tar.zst"

    def back_up(self) -> Took:
        with self.site.copied() as copied:
            pack = ["tar", "-c", "-C", str(self.site.server.data), "storage"]
            pack += ["-C", str(copied.path.parent), copied.path.name]
            took = self.pipe(
                pack, ["zstd", "-3", "-q"], *self._seal, [self.rclone, "rcat", self._object]
            )
        return after_copy(copied, took)

    def restore(self, to: Path) -> Took:
        fetch = [self.rclone, "cat", self._object]
        return self.pipe(fetch, *self._open, ["zstd", "-dq"], ["tar", "-x", "-C", str(to)])

    def verify(self) -> Took:
        return self.pipe([self.rclone, "cat", self._object], *self._open, ["zstd", "-tq"])


class Rclone(Tool):
    """Plain files, as they are."""

    name = "rclone sync"

    def _files(self, copied: Copied | None = None) -> list[Command]:
        bucket = f"b:{self.need_bucket.name}"
        uploads = [self.rclone, "sync", str(self.site.storage), f"{bucket}/storage"]
        if copied is None:
            return [uploads]
        return [uploads, [self.rclone, "copyto", str(copied.path), f"{bucket}/data.db"]]

    def back_up(self) -> Took:
        with self.site.copied() as copied:
            uploads, database = self._files(copied)
            took = self.pipe(uploads) + self.pipe(database)
        return after_copy(copied, took)

    def second_run(self) -> dict[str, int]:
        self.need_bucket.mark()
        self.back_up()
        new = self.need_bucket.new_bytes
        return {UPLOADS: new("storage/"), DATABASE: new("data.db")}

    def restore(self, to: Path) -> Took:
        return self.pipe([self.rclone, "copy", f"b:{self.need_bucket.name}", str(to)])

    def verify(self) -> Took:
        bucket = f"b:{self.need_bucket.name}/storage"
        check = [self.rclone, "check", "--download", "--one-way", bucket, str(self.site.storage)]
        return self.pipe(check)


class Restic(Tool):
    """Encrypted, compressed, in chunks of its own; the uploads and the database in turn."""

    name = "restic"

    def prepare(self, bucket: Bucket) -> None:
        self._run("init")

    def _run(self, *words: str) -> Took:
        environment = {
            **self.site.s3_environment,
            "RESTIC_REPOSITORY": f"s3:{self.site.s3.endpoint}/{self.need_bucket.name}",
            "RESTIC_PASSWORD": "benchmark",
            "RESTIC_CACHE_DIR": str(self.folder / "cache"),
        }
        return self.pipe(["restic", "--quiet", *words], environment=environment)

    def back_up(self) -> Took:
        with self.site.copied() as copied:
            took = self._run("backup", str(self.site.storage))
            took += self._run("backup", str(copied.path))
        return after_copy(copied, took)

    def second_run(self) -> dict[str, int]:
        bucket, found = self.need_bucket, {}
        with self.site.copied() as copied:
            for part, path in ((UPLOADS, self.site.storage), (DATABASE, copied.path)):
                bucket.mark()
                self._run("backup", str(path))
                found[part] = bucket.new_bytes()
        return found

    def restore(self, to: Path) -> Took:
        words = ("restore", "latest", "--target", str(to), "--path")
        copy = self.site.instance.places.work / "data.db"
        return self._run(*words, str(self.site.storage)) + self._run(*words, str(copy))

    def verify(self) -> Took:
        return self._run("check", "--read-data")


def python(*words: str) -> Command:
    """A command of this Python."""
    return [sys.executable, *words]
