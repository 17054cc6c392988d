"""The small tar of what PocketBase needs beside its data to boot."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.places import Places

HOOKS = "hooks"
MIGRATIONS = "migrations"
SETTINGS = "settings.json"


def boot_tar(config: AgentConfig, places: Places) -> io.BytesIO:
    """Hooks, migrations and the agent's settings (which hold no secret) as a tar."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, folder in ((HOOKS, places.hooks), (MIGRATIONS, places.migrations)):
            if folder.is_dir():
                tar.add(folder.resolve(), arcname=name, filter=_plain)
        settings = config.settings.model_dump_json(indent=2).encode()
        entry = tarfile.TarInfo(SETTINGS)
        entry.size = len(settings)
        tar.addfile(entry, io.BytesIO(settings))
    content.seek(0)
    return content


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files and folders only, owned by nobody in particular."""
    if not (entry.isfile() or entry.isdir()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def unpack_boot(tar_file: Path, into: Path) -> None:
    """Unpack files and folders; tarfile's own filter is missing in Debian 12's Python 3.11.2.

    Raises:
        tarfile.TarError: an entry is something else, or would leave the folder.
    """
    with tarfile.open(tar_file) as tar:
        for entry in tar:
            path = PurePosixPath(entry.name)
            if path.is_absolute() or ".." in path.parts or not (entry.isfile() or entry.isdir()):
                raise tarfile.ExtractError(f"{entry.name!r} is no file or folder within")
            # No entry is a link, so nothing can lead out of a folder that is new.
            _unpack_one(tar, entry, into / path)


def _unpack_one(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    content = tar.extractfile(entry)
    if content is None:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(0o644)  # another user boots with them, whatever root's umask is
