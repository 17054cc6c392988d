"""Restoring a snapshot into an empty folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.backup.boot_part import unpack_boot
from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.errors import BackupSettingsError, NoSpaceError, local_failure
from tinykit_ops.backup.fetch import fetch_manifest, fetch_part, upload_parts
from tinykit_ops.backup.files import flush_file_system, sync_folder
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.manifest import Index, Manifest
from tinykit_ops.backup.targets import Target

DATA = "pb_data"
MARGIN_BYTES = 16 << 20


@dataclass(frozen=True)
class Restored:
    """Where everything lies now: `pb_data/`, `hooks/`, `migrations/` and `settings.json`."""

    folder: Path
    index: Index
    manifest: Manifest


def restore(target: Target, snapshot: str, to: Path, identities: Sequence[Identity]) -> Restored:
    """Fetch, open and check everything, into a folder that is empty or not there yet.

    The folder appears under its name only when it is complete, and all of it is on the disk.

    Raises:
        BackupSettingsError: there is no such snapshot, the folder is in use, or a key is missing.
        WrongKeyError, DamagedError, TargetError, NoSpaceError: nothing is left behind then.
    """
    _refuse_used(to)
    index = read_index(target, snapshot)
    manifest = fetch_manifest(target, index, identities)
    keys = identities if index.encrypted else []
    partial = to.with_name(f".{to.name}.partial")
    try:
        _need_space(to, manifest)
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True, mode=0o700)
        fetch_database(target, manifest, partial / DATA, keys)
        fetch_uploads(target, index, manifest, partial / DATA / "storage", keys)
        fetch_boot(target, manifest, partial, keys)
        flush_file_system(partial)  # or a power cut could leave empty files in what looks complete
        if to.exists():
            to.rmdir()
        partial.rename(to)
        sync_folder(to.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise local_failure(error) from None
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Restored(to, index, manifest)


def fetch_database(
    target: Target, manifest: Manifest, data: Path, identities: Sequence[Identity]
) -> Path:
    """Put `data.db` into a data folder. Returns its path."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data / "data.db"
    with path.open("wb") as file:
        fetch_part(target, manifest.database, file, identities)
    path.chmod(0o600)
    return path


def fetch_boot(
    target: Target, manifest: Manifest, into: Path, identities: Sequence[Identity]
) -> None:
    """Unpack hooks, migrations and settings."""
    tar = into / "boot.tar"
    with tar.open("wb") as file:
        fetch_part(target, manifest.boot, file, identities)
    unpack_boot(tar, into)
    tar.unlink()


def fetch_uploads(
    target: Target,
    index: Index,
    manifest: Manifest,
    storage: Path,
    identities: Sequence[Identity],
) -> None:
    """Put every upload where the database expects it. Content that is there twice comes once."""
    parts = upload_parts(index, manifest)
    first: dict[str, Path] = {}
    for upload in manifest.uploads:
        path = storage / upload.path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if upload.key in first:
            shutil.copyfile(first[upload.key], path)
            continue
        with path.open("wb") as file:
            fetch_part(target, parts[upload.key], file, identities)
        first[upload.key] = path


def _refuse_used(to: Path) -> None:
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BackupSettingsError(
            "The folder to restore to is not empty",
            where=str(to),
            hint="name a new one; nothing is ever overwritten",
        )


def _need_space(to: Path, manifest: Manifest) -> None:
    needed = manifest.database.size + sum(upload.size for upload in manifest.uploads)
    folder = next(parent for parent in to.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN_BYTES:
        raise NoSpaceError(
            f"Not enough room to restore: {free >> 20} MiB are free, {needed >> 20} are needed",
            where=str(folder),
            hint="restore to another disk",
        )
