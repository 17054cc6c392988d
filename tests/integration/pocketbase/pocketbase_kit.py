"""A real PocketBase for tests: own folder, free port, tinykit-ops' hooks."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ports import free_port
from waiting import PATIENCE

from tinykit_ops.artifacts import local_binary
from tinykit_ops.pocketbase.client import PocketBase

VERSIONS = ("0.23.4", "0.40.6")
HOOKS = Path(__file__).parents[3] / "templates" / "pocketbase" / "hooks"
EMAIL = "root@example.com"
PASSWORD = "superuser-password-of-tests"
BASIC_USER = "builder"
BASIC_PASSWORD = "pässword: of basic"
NAMES_A_DAY = 3

NOTES = {
    "name": "notes",
    "type": "base",
    "fields": [
        {"name": "title", "type": "text"},
        {"name": "body", "type": "text", "max": 10_000_000},
        {"name": "picture", "type": "file", "maxSelect": 1, "maxSize": 100_000_000},
        {"name": "papers", "type": "file", "maxSelect": 9, "maxSize": 100_000_000},
        {
            "name": "secret_paper",
            "type": "file",
            "maxSelect": 1,
            "maxSize": 100_000_000,
            "protected": True,
        },
    ],
}


class Server:
    """One PocketBase, started and stopped at will."""

    def __init__(self, folder: Path, version: str, template: Path) -> None:
        self.folder = folder
        self.version = version
        self.binary = local_binary("pocketbase", version)
        self.data = folder / "pb_data"
        self.snapshots = folder / "snapshots"
        self.hooks = folder / "hooks"
        self.migrations = folder / "migrations"
        self.credentials = folder / "credentials"
        self.token_file = self.credentials / "hook-token"
        self.names_file = folder / "tls-names.json"
        self.token = secrets.token_urlsafe(32)
        self.basic_cookie = secrets.token_urlsafe(24)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        shutil.copytree(template, self.data)
        shutil.copytree(HOOKS, self.hooks)
        self.snapshots.mkdir(mode=0o700)
        self.migrations.mkdir()
        self.write_credentials()
        self.guesses = 1000  #: wrong passwords of `basic`, a minute and address
        self.pb = PocketBase(self.url, timeout=PATIENCE)

    def write_credentials(self) -> None:
        """What the unit hands over; read anew with every request."""
        self.credentials.mkdir(mode=0o700, exist_ok=True)
        self.token_file.write_text(self.token + "\n")
        (self.credentials / "access-basic-password").write_text(BASIC_PASSWORD + "\n")
        (self.credentials / "basic-cookie").write_text(self.basic_cookie)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        log = (self.folder / "pocketbase.log").open("ab")
        self.process = subprocess.Popen(
            [
                str(self.binary),
                "serve",
                f"--http=127.0.0.1:{self.port}",
                f"--dir={self.data}",
                f"--hooksDir={self.hooks}",
                f"--migrationsDir={self.migrations}",
                f"--publicDir={self.folder / 'public'}",
            ],
            env={
                **os.environ,
                "TINYKIT_OPS_SNAPSHOTS": str(self.snapshots),
                "TINYKIT_OPS_BASIC_USER": BASIC_USER,
                "TINYKIT_OPS_GUESSES_A_MINUTE": str(self.guesses),
                "TINYKIT_OPS_TLS_NAMES": str(self.names_file),
                "TINYKIT_OPS_TLS_NAMES_A_DAY": str(NAMES_A_DAY),
                "CREDENTIALS_DIRECTORY": str(self.credentials),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self.pb.wait_until_healthy(PATIENCE, lambda: self.process.poll() is not None)
        self.pb.login_superuser(EMAIL, PASSWORD)
        return self

    def make_notes(self) -> Server:
        self.pb.call("POST", "/api/collections", json=NOTES)
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None

    def log_text(self) -> str:
        return (self.folder / "pocketbase.log").read_text(errors="replace")

    def ask(self, method: str, path: str, token: str | None = None, **extra: Any) -> Any:
        """A raw request with the secret header; returns requests' answer."""
        import requests

        headers = {"X-Tinykit-Ops-Token": self.token if token is None else token}
        headers.update(extra.pop("headers", {}))
        return requests.request(method, self.url + path, headers=headers, timeout=PATIENCE, **extra)


def make_template(folder: Path, version: str) -> Path:
    """A data folder with a superuser, as before the first `serve`."""
    data = folder / f"template-{version}"
    subprocess.run(
        [
            str(local_binary("pocketbase", version)),
            f"--dir={data}",
            f"--hooksDir={folder / 'none'}",
            f"--migrationsDir={folder / 'none'}",
            "superuser",
            "upsert",
            EMAIL,
            PASSWORD,
        ],
        check=True,
        capture_output=True,
    )
    return data
