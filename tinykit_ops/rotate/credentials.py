"""A credential of a running unit, replaced without a restart; of a container too.

systemd hands a unit its credentials as files of a small file system that is mounted read-only, and
never changes them. PocketBase's hooks read theirs with every request, so a new text there holds at
once; and the old one must not stay there until the next start.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import StorageError

FOLDER = Path("/run/credentials")


def replace_credential(
    unit: str,
    name: str,
    value: str,
    folder: Path = FOLDER,
    copies: Path = Path(layout.DOCKER_SECRETS),
) -> None:
    """Give a running unit another text for a credential, with the file's owner and mode kept.

    A unit that does not run, or has no such credential, reads the secret when it starts.

    Args:
        folder: where systemd hands them over.
        copies: where a container has them from; as text in a file that is mounted there.

    Raises:
        StorageError: it cannot be replaced.
    """
    for mount in (folder / unit, copies / unit.removesuffix(".service")):
        file = mount / name
        if file.exists():
            try:
                _replace(mount, file, value)
            except (OSError, subprocess.SubprocessError) as error:
                raise StorageError(
                    f"the credential {name} of {unit} cannot be replaced while it runs",
                    where=str(file),
                    hint=f"`systemctl restart {unit}` reads it anew ({type(error).__name__})",
                ) from None


def _replace(mount: Path, file: Path, value: str) -> None:
    mounted = mount.is_mount()
    if mounted:
        _remount(mount, "rw")
    try:
        # In place: another file would have another owner and other rights.
        with file.open("r+b") as stream:
            stream.write(value.encode())
            stream.truncate()
    finally:
        if mounted:
            _remount(mount, "ro")


def mark_as_read(unit: str, folder: Path = Path(layout.STARTED_DIR)) -> None:
    """Tell the next deploy that a unit works with its files as they are now."""
    stamp = folder / unit
    if stamp.exists():
        stamp.touch()


def _remount(mount: Path, mode: str) -> None:
    words = ["mount", "-o", f"remount,bind,{mode}", str(mount)]
    subprocess.run(words, check=True, capture_output=True, timeout=20)
