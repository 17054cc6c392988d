"""Who uses a host before and after a disaster, what a check says of it, and how long it took."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests_e2e_support import STATUS, check_command, curl, execute

from tinykit_ops import layout
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.inventory import ADMIN_EMAIL
from tinykit_ops.lab.lab import Lab

Curl = Callable[..., list[str]]
PROJECTS = "/_pb/api/collections/_tk_projects/records"
AUTHORITY = "/var/lib/caddy/caddy/pki/authorities/local/root.crt"


@dataclass(frozen=True)
class Elsewhere:
    """Where the DNS record of a domain points after a move."""

    domain: str
    address4: str


class Person:
    """Somebody with an account, who works through the edge and logs in only once.

    Args:
        curl: another way to the host than through its edge.
    """

    def __init__(self, lab: Lab, folder: Path, curl: Curl = curl) -> None:
        self._curl = curl
        self.host: LabHost | Elsewhere = lab.host("tk-1")
        self._folder = folder
        self._password = lab.admin_password.read_text().strip()
        self._token = ""

    def log_in(self) -> None:
        login = json.dumps({"identity": ADMIN_EMAIL, "password": self._password})
        words = ("--header", "Content-Type: application/json", "--data", login)
        said = execute(
            self._curl(self.host, "/_pb/api/collections/users/auth-with-password", *words)
        )
        self._token = json.loads(said.out)["token"]

    def make_project(self, name: str, upload: bytes = b"") -> None:
        """A record, with an uploaded file or without."""
        words = ["--form", f"name={name}", "--form", "kit=default"]
        if upload:
            file = self._folder / "upload.bin"
            file.write_bytes(upload)
            words += ["--form", f"assets=@{file}"]
        record = self._ask(PROJECTS, *words)
        assert record.get("name") == name, record

    def tries_to_make_a_project(self, name: str) -> str:
        """The status of the answer; of none, "000"."""
        words = (*self._mine(), "--form", f"name={name}", "--form", "kit=default", *STATUS)
        return execute(self._curl(self.host, PROJECTS, *words)).out

    def projects(self) -> dict[str, dict]:
        """All that there is: every field of every project, and what its files hold."""
        found = self._ask(f"{PROJECTS}?perPage=500&sort=name")
        assert "items" in found, found
        for row in found["items"]:
            row["files"] = [self._sha256(row, name) for name in row["assets"]]
        return {row["name"]: row for row in found["items"]}

    def _sha256(self, row: dict, name: str) -> str:
        file = self._folder / "download.bin"
        file.unlink(missing_ok=True)
        path = f"/_pb/api/files/{row['collectionId']}/{row['id']}/{name}"
        words = (*self._mine(), "--fail", "--output", str(file))
        said = execute(self._curl(self.host, path, *words))
        assert said.code == 0, said.text
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def _ask(self, path: str, *words: str) -> dict:
        said = execute(self._curl(self.host, path, *self._mine(), *words))
        assert said.code == 0, said.text
        return json.loads(said.out)

    def _mine(self) -> tuple[str, str]:
        return ("--header", f"Authorization: Bearer {self._token}")


def outcomes(lab: Lab, inventory: Path, ca_file: Path) -> dict[str, str]:
    """What `check` finds, with every right to look: the outcome of each check."""
    host = lab.host("tk-1")
    ca_file.write_text(host.ssh(["cat", AUTHORITY]).stdout)
    superuser = host.ssh(["cat", f"{layout.SECRETS_DIR}/{layout.SUPERUSER_PASSWORD}"]).stdout
    logins = {ACCOUNT: lab.admin_password.read_text(), SUPERUSER: superuser}
    with pytest.MonkeyPatch.context() as patch:
        for prefix, password in logins.items():
            patch.setenv(f"{prefix}_EMAIL", ADMIN_EMAIL)
            patch.setenv(f"{prefix}_PASSWORD", password.strip())
        words = (f"--from-netns={lab.names.netns}", "--format=json")
        run = execute(check_command(host, inventory, ca_file, *words))
    results = [row for each in json.loads(run.out)["instances"] for row in each["results"]]
    return {row["id"]: row["outcome"] for row in results}


class Stopwatch:
    """Seconds, told by lap."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._laps: list[str] = []

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self._laps.append(f"{name} {now - self._last:.0f} s")
        self._last = now

    def __str__(self) -> str:
        return f"{self._last - self._began:.0f} s ({', '.join(self._laps)})"
