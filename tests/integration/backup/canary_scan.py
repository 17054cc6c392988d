"""A search for secrets over all that somebody could see of a backup, now or later."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pyrage
import zstandard


class Scan:
    """Texts, by where they were seen.

    Args:
        key: the private key's file, for objects that are sealed.
    """

    def __init__(self, key: Path) -> None:
        self._identity = pyrage.x25519.Identity.from_str(key.read_text().split()[-1])
        self.seen: dict[str, bytes] = {}

    def add(self, where: str, text: bytes) -> None:
        self.seen[where] = self.seen.get(where, b"") + text + b"\n"

    def add_files(self, folder: Path) -> None:
        """All files below. What is sealed or compressed is opened, too: of compressed bytes alone
        a search finds nothing."""
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.add(str(path), path.read_bytes())
                self.add(f"{path}, opened", self._opened(path.read_bytes()))

    def _opened(self, content: bytes) -> bytes:
        if content.startswith(b"age-encryption.org/"):
            content = pyrage.decrypt(content, [self._identity])
        if content.startswith(zstandard.FRAME_HEADER):
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
        return content

    def places_of(self, secrets: Sequence[str]) -> list[str]:
        """Where one of them was seen."""
        wanted = [secret.encode() for secret in secrets]
        return [where for where, text in self.seen.items() if any(one in text for one in wanted)]


def run_watched(command: subprocess.Popen[str], scan: Scan) -> int:
    """Wait for a command. Into the scan go what it prints, and the arguments and environments of
    the command and of all that it starts.

    Returns its exit code.
    """
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(command.communicate()[0]))
    reader.start()
    while reader.is_alive():
        _look(command.pid, scan)
        time.sleep(0.02)
    scan.add("output", said[0].encode())
    return command.returncode


def _look(root: int, scan: Scan) -> None:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = _parent(folder)
        except OSError:
            continue  # it ended
    for pid in parents:
        if not _descends(pid, root, parents):
            continue
        for kind, file in (("arguments", "cmdline"), ("environment", "environ")):
            try:
                scan.add(kind, Path(f"/proc/{pid}/{file}").read_bytes())
            except OSError:
                continue


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid != root and pid in parents:
        pid = parents[pid]
    return pid == root
