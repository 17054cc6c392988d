"""The lab's S3 server: rclone, with credentials of its own, on the bridge's address.

It keeps objects as plain files in the lab's folder, so that a test can look at them or break
them.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.artifacts import local_binary
from tinykit_ops.lab import cgroups
from tinykit_ops.lab.errors import CommandError
from tinykit_ops.lab.names import LabNames
from tinykit_ops.lab.state import write_private

PORT = 9000
BUCKET = "tinykit-backups"
START_SECONDS = 60.0


@dataclass(frozen=True)
class LabS3:
    """How to reach the lab's S3 server; hosts and this machine use the same address."""

    folder: Path
    address: str

    @property
    def endpoint(self) -> str:
        """The server's URL."""
        return f"http://{self.address}:{PORT}"

    @property
    def bucket(self) -> str:
        """A bucket that exists and is empty at first."""
        return BUCKET

    @property
    def access_key_id_file(self) -> Path:
        """Holds the access key id."""
        return self.folder / "access-key-id"

    @property
    def secret_access_key_file(self) -> Path:
        """Holds the secret."""
        return self.folder / "secret-access-key"

    @property
    def data(self) -> Path:
        """The buckets, as folders; the objects, as files."""
        return self.folder / "data"


def ensure_running(s3: LabS3, names: LabNames) -> None:
    """Start the server unless it runs, and wait until it answers.

    Raises: CommandError when it does not within a minute.
    """
    group = f"{names.cgroup}/s3"
    if not cgroups.is_alive(group):
        _write_credentials(s3)
        (s3.data / BUCKET).mkdir(parents=True, exist_ok=True)
        cgroups.create(group)
        _start(s3, group)
    _wait(s3, group)


def _write_credentials(s3: LabS3) -> None:
    s3.folder.mkdir(mode=0o700, exist_ok=True)
    if not s3.secret_access_key_file.exists():
        write_private(s3.access_key_id_file, f"LAB{secrets.token_hex(8).upper()}\n")
        write_private(s3.secret_access_key_file, f"{secrets.token_urlsafe(30)}\n")


def _start(s3: LabS3, group: str) -> None:
    key_id = s3.access_key_id_file.read_text().strip()
    secret = s3.secret_access_key_file.read_text().strip()
    words = [
        *(str(_rclone()), "serve", "s3", "--addr", f"{s3.address}:{PORT}"),
        *("--config", str(s3.folder / "rclone.conf"), "--cache-dir", str(s3.folder / "cache")),
        str(s3.data),
    ]
    # The key goes by environment, which only root can read; arguments are for all to see.
    env = {"PATH": os.environ.get("PATH", ""), "RCLONE_AUTH_KEY": f'"{key_id},{secret}"'}
    with (s3.folder / "rclone.log").open("ab") as log:
        subprocess.Popen(
            cgroups.inside(group, words),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _rclone() -> Path:
    return local_binary("rclone")


def _wait(s3: LabS3, group: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((s3.address, PORT), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    log = (s3.folder / "rclone.log").read_text(errors="replace")[-1500:]
    state = "runs but does not answer" if cgroups.is_alive(group) else "ended at once"
    raise CommandError(f"The lab's S3 server {state}.", where=s3.endpoint, hint=log.strip())
