"""Talking to a running contract app the way a browser or an attacker would."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from waiting import PATIENCE

from tinykit_ops.lab.contract_instance import Instance

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"
DOMAIN = "app.test"
PAGE = "<!doctype html><title>My app</title>"


@dataclass
class App:
    """A running instance with an account and one published project."""

    instance: Instance
    token: str = ""
    project: str = ""
    superuser_token: str = field(default="", repr=False)

    def ask(
        self, method: str, path: str, *, token: str = "", host: str = "", **rest: Any
    ) -> requests.Response:
        """Send a request; redirects are not followed."""
        headers = dict(rest.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if host:
            headers["Host"] = host
        url = self.instance.url + path
        return requests.request(
            method, url, headers=headers, allow_redirects=False, timeout=PATIENCE, **rest
        )

    def get(self, path: str, **rest: Any) -> requests.Response:
        return self.ask("GET", path, **rest)

    def post(self, path: str, body: Any = None, **rest: Any) -> requests.Response:
        return self.ask("POST", path, json=body, **rest)

    def claim(self) -> requests.Response:
        """Go through /setup."""
        return self.post("/api/setup", {"email": EMAIL, "password": PASSWORD})

    def login(self, collection: str = "users") -> str:
        path = f"/_pb/api/collections/{collection}/auth-with-password"
        answer = self.post(path, {"identity": EMAIL, "password": PASSWORD})
        return str(answer.json()["token"])

    def publish(self) -> None:
        """Claim, log in, make a project and publish it on DOMAIN."""
        self.claim()
        self.token = self.login()
        self.superuser_token = self.login("_superusers")
        body = {"name": "My app", "domain": DOMAIN}
        self.project = self.post("/api/projects", body, token=self.token).json()["id"]
        self.post(f"/api/projects/{self.project}/build", {"html": PAGE}, token=self.token)

    def events(self, until: str, seconds: float = PATIENCE) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of the project's realtime stream, up to the event `until`."""
        url = f"{self.instance.url}/_tk/realtime/{self.project}"
        end = time.monotonic() + seconds
        with requests.get(url, stream=True, timeout=seconds) as stream:
            name = ""
            for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))
                    if name == until:
                        return
                if time.monotonic() > end:
                    return

    def marker(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.instance.marker.read_text())
        return value

    @property
    def folder(self) -> Path:
        return self.instance.folder
