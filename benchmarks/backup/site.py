"""Where it all runs: one PocketBase with data, its agent, an S3 server, in one folder."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backup.dataset import Dataset, Size, bytes_in
from benchmarks.backup.kit import ACCESS_KEY, WRITES, Instance, S3Server, Server, make_template
from benchmarks.backup.measuring import Took
from tinykit_ops.artifacts import default_version
from tinykit_ops.backup.snapshot import consistent_copy


@dataclass(frozen=True)
class Copied:
    """A copy of the database for those who cannot make one themselves."""

    path: Path
    seconds: float


class Site:
    """Call `close` at the end; the folder is the caller's to remove.

    Args:
        folder: for everything; needs some three times the data, and as much again for every
            backup that is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        version = default_version("pocketbase")
        (folder / "server").mkdir()
        self.server = Server(folder / "server", version, make_template(folder, version))
        self.instance = Instance(folder / "host", self.server)
        self.s3 = S3Server(folder / "s3")
        self.dataset = Dataset(self.server)
        self._windows = 0

    def open(self, size: Size) -> None:
        """Fill PocketBase, and start it and the S3 server."""
        self._start_s3()
        self.server.start()
        self.dataset.make_collection()
        self.server.pb.call("POST", "/api/collections", json=WRITES)
        with self.stopped():
            self.dataset.grow(size)

    def _start_s3(self) -> None:
        """rclone's server would read every object anew to tell its MD5 in a list; services that
        people use have noted it, and listing costs nothing there."""
        os.environ["RCLONE_ETAG_HASH"] = ""
        self.s3.start()
        del os.environ["RCLONE_ETAG_HASH"]

    def close(self) -> None:
        """End every program."""
        self.server.kill()
        self.s3.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """PocketBase is off meanwhile."""
        self.server.stop()
        yield
        self.server.start()

    @property
    def data_bytes(self) -> int:
        """What a backup has to carry: uploads and the database."""
        database: int = (self.server.data / "data.db").stat().st_size
        return bytes_in(self.storage) + database

    @property
    def storage(self) -> Path:
        """PocketBase's uploads."""
        folder: Path = self.server.data / "storage"
        return folder

    @property
    def s3_environment(self) -> dict[str, str]:
        """For programs that read the usual variables of AWS's tools."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self.s3.secret,
            "AWS_REGION": "us-east-1",
        }

    @contextmanager
    def copied(self) -> Iterator[Copied]:
        """A copy by PocketBase itself. The live files are safe for nobody to read."""
        began = time.monotonic()
        with consistent_copy(self.instance.places, self.server.token) as copy:
            yield Copied(copy, time.monotonic() - began)

    def new_folder(self, name: str) -> Path:
        """An empty one."""
        self._windows += 1
        folder = self.folder / f"{name}-{self._windows}"
        folder.mkdir()
        return folder

    def forget_runs(self) -> None:
        """As if the agent had never made a backup."""
        shutil.rmtree(self.instance.places.state, ignore_errors=True)


class Bucket:
    """A bucket as files on this machine's disk, which is how the S3 server keeps it."""

    def __init__(self, site: Site) -> None:
        self.name = site.s3.make_bucket()
        self.folder = site.s3.folder / self.name
        self._known = self._look()

    def _look(self) -> dict[str, tuple[int, int]]:
        return {
            path.relative_to(self.folder).as_posix(): (found.st_size, found.st_mtime_ns)
            for path in self.folder.rglob("*")
            if path.is_file() and (found := path.stat())
        }

    def new_bytes(self, part: str = "") -> int:
        """Bytes of objects that came or changed since the last call of `mark`.

        Args:
            part: only of objects with this in their key.
        """
        now = self._look()
        return sum(
            mark[0] for key, mark in now.items() if part in key and self._known.get(key) != mark
        )

    def mark(self) -> None:
        """Count from here."""
        self._known = self._look()

    def remove(self) -> None:
        """Away with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def after_copy(copied: Copied, took: Took) -> Took:
    """A backup is not done without its copy of the database."""
    return Took(took.seconds + copied.seconds, took.memory)
