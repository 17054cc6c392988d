"""A real PocketBase as a fresh host runs it: real hooks, the contract app's migrations."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ports import free_port
from waiting import PATIENCE

from tinykit_ops.artifacts import local_binary
from tinykit_ops.pocketbase.client import PocketBase

ROOT = Path(__file__).parents[3]
EMAIL = "admin@example.com"


class Instance:
    """One PocketBase whose superuser is made as the unit makes it: from a file, before it serves.

    Args:
        folder: for its data and the credential.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.binary = str(local_binary("pocketbase", version))
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.hook_token = "the-secret-of-the-hooks-0123456789"

    def words(self, *command: str) -> list[str]:
        """The command line, as the unit's template has it."""
        migrations = ROOT / "tinykit_ops/lab/contract_app/pocketbase/pb_migrations"
        hooks = ROOT / "templates/pocketbase/hooks"
        places = [f"--dir={self.folder / 'data'}", f"--migrationsDir={migrations}"]
        places += [f"--hooksDir={hooks}", f"--publicDir={self.folder / 'none'}"]
        return [self.binary, *places, "--automigrate=false", *command]

    def make_superuser(self, password: str) -> subprocess.CompletedProcess[str]:
        """Run the unit's first command with this password as its credential."""
        credentials = self.folder / "credentials"
        credentials.mkdir(exist_ok=True)
        (credentials / "superuser-password").write_text(password)
        (credentials / "hook-token").write_text(self.hook_token)
        environment = {
            **os.environ,
            "CREDENTIALS_DIRECTORY": str(credentials),
            "TINYKIT_OPS_SUPERUSER_EMAIL": EMAIL,
        }
        return subprocess.run(
            self.words("tinykit-ops-superuser"),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

    def start(self) -> Instance:
        """Serve on a free port."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(self.folder / "credentials")}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.words("serve", f"--http=127.0.0.1:{port}"),
                env=environment,
                stdout=log,
                stderr=log,
            )
        with PocketBase(self.url) as pocketbase:
            pocketbase.wait_until_healthy(PATIENCE, lambda: self.process.poll() is not None)
        return self

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None


@pytest.fixture(params=["0.40.6", "0.23.4"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instance]:
    """A stopped instance without a superuser, of each version."""
    one = Instance(tmp_path, request.param)
    yield one
    one.stop()
