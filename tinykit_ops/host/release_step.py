"""Unpack a release under its own folder; the first one of a host becomes the current one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import requests
import zstandard

from tinykit_ops import layout
from tinykit_ops.artifacts import file_sha256
from tinykit_ops.errors import StorageError, UnavailableError
from tinykit_ops.host import files
from tinykit_ops.host.release_store import ReleaseStore
from tinykit_ops.release.inspect import inspect_archive

_HEADROOM = 200 * 1024**2  #: bytes that must stay free after unpacking
_PIECE = 1024 * 1024
_UNPACKING = ".{}.unpacking"


def release_id(sha256: str) -> str:
    """The name of a release's folder: the start of its archive's SHA-256."""
    return sha256[:16]


class ReleaseStep:
    """Have the release with this archive hash unpacked. `ServeStep` makes it serve.

    The archive is `HOME/incoming/ID.tar.zst`, put there by the deploy, or is fetched from `url`.

    Args:
        sha256: of the archive (hex).
        url: where the host can fetch it from, if anywhere.
        home: tinykit's folder.
    """

    def __init__(self, sha256: str, url: str = "", home: Path = Path(layout.TINYKIT_HOME)) -> None:
        self.sha256 = sha256
        self.url = url
        self.id = release_id(sha256)
        self.store = ReleaseStore(home)
        self.folder = self.store.folder / self.id
        self.archive = home / "incoming" / f"{self.id}.tar.zst"

    def pending(self) -> list[str]:
        """Whether the release is not unpacked, or the host has none to start with."""
        left = [] if self.folder.is_dir() else [f"unpack release {self.id}"]
        if not self._is_ready():
            left.append("give PocketBase its migrations")
        return [*left, "remove what an interrupted run left"] if any(self._leftovers()) else left

    def apply(self) -> None:
        """Fetch, check and unpack it where needed; a host without a release begins with it."""
        if not self.folder.is_dir():
            self._fetch()
            self._unpack()
        if not self._is_ready():
            self.store.adopt_migrations(self.store.current() or self.id)
        if not self.store.current():
            self.store.make_current(self.id)
        for left in [*self._leftovers()]:
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        return bool(self.store.current()) and (self.store.migrations / "current").exists()

    def _leftovers(self) -> Iterator[Path]:
        """Archives, whole or not, that nothing needs any more, and releases half unpacked."""
        for archive in self.archive.parent.glob("*"):
            if archive != self.archive or self.folder.is_dir():
                yield archive
        yield from self.store.folder.glob(_UNPACKING.format("*"))

    def _fetch(self) -> None:
        if self.url and not self.archive.is_file():
            self.archive.parent.mkdir(parents=True, exist_ok=True)
            _download(self.url, self.archive)
        got = file_sha256(self.archive)
        if got != self.sha256:
            self.archive.unlink(missing_ok=True)
            raise StorageError(
                f"the release archive has the SHA-256 {got or 'of no file'}, not {self.sha256}",
                where=_shown(self.url, self.url) or str(self.archive),
                hint="give the archive's own hash as app.sha256, or run the deploy again "
                "if the upload was cut off",
            )

    def _unpack(self) -> None:
        info = inspect_archive(self.archive)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder.parent).free
        if free < info.unpacked_size + _HEADROOM:
            raise StorageError(
                f"{info.unpacked_size // 1024**2} MB are needed to unpack the release and "
                f"{free // 1024**2} MB are free",
                where=str(self.folder.parent),
                hint="free some disk space and run again; the running release is untouched",
            )
        staging = self.folder.with_name(_UNPACKING.format(self.id))
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            _extract(self.archive, staging)
            _furnish(staging)
            os.sync()  # or a power cut could leave empty files in a release that looks whole
            staging.rename(self.folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    """Unpack with tar(1), fed by our own zstd so that the host needs no package for it."""
    command = ["tar", "-xf", "-", "-C", str(folder), "--no-same-owner"]
    with tempfile.TemporaryFile() as complaints:
        tar = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=complaints)
        with suppress(BrokenPipeError), archive.open("rb") as source, _stdin(tar) as sink:
            zstandard.ZstdDecompressor().copy_stream(source, sink, write_size=_PIECE)
        if tar.wait() == 0:
            return
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
    raise StorageError(
        f"cannot unpack the release: {said[-1] if said else 'tar failed'}",
        where=str(folder),
        hint="free some disk space and run again; the running release is untouched",
    )


def _stdin(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise TypeError("the process was started without a pipe")
    return process.stdin


def _furnish(release: Path) -> None:
    """Add what tinykit expects under its working directory (tinykit-facts, 'What it reads').

    The marker says that the server is claimed; it is empty, root's and read-only, so that tinykit
    never keeps a password or token in it. The data folder beside it is not PocketBase's.
    """
    pocketbase = release / "pocketbase"
    (pocketbase / "pb_data").mkdir(parents=True, exist_ok=True)
    files.write(release / layout.TINYKIT_MARKER, "{}\n", mode=0o444)
    binary = pocketbase / "pocketbase"
    binary.unlink(missing_ok=True)
    binary.symlink_to(layout.POCKETBASE_COMMAND)
    for folder, _, _ in os.walk(release):
        Path(folder).chmod(0o755)


def _shown(text: str, url: str) -> str:
    """A text for people: a query may be a signature, with which anybody could fetch the archive."""
    query = urlsplit(url).query
    return text.replace(query, "…") if query else text


def _download(url: str, destination: Path) -> None:
    part = destination.with_suffix(".part")
    try:
        with requests.get(url, stream=True, timeout=60) as answer, part.open("wb") as sink:
            answer.raise_for_status()
            for piece in answer.iter_content(_PIECE):
                sink.write(piece)
        part.replace(destination)
    except requests.RequestException as error:
        raise UnavailableError(
            f"cannot fetch the release archive: {_shown(str(error), url)}",
            where=_shown(url, url),
            hint="see that the host reaches this address, or give a local file as app.archive",
        ) from error
    finally:
        part.unlink(missing_ok=True)
