"""The small tar of what PocketBase needs beside its data to boot."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

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
    """Unpack it; entries that would leave the folder are refused by tarfile's `data` filter."""
    with tarfile.open(tar_file) as tar:
        tar.extractall(into, filter="data")
