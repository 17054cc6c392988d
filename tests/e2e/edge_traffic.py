"""A published page that somebody outside asks for all the time, and what he got."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests_e2e_support import until

from tinykit_ops import layout
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

WORKER = Path(__file__).parent / "edge_traffic_worker.py"
MARK = "published-and-served"
FINE = "200"
END_SECONDS = 120  #: a visitor waits for a minute
COUNT_SECONDS = 600  #: for a number of visits, on a busy machine

# Runs on the host with the agent's own client; tinykit's gates have no part in it.
_PUBLISH = f"""
import sys
from tinykit_ops.pocketbase.client import PocketBase
domain, email = sys.argv[1:]
client = PocketBase({layout.POCKETBASE_URL!r})
secret = open("{layout.SECRETS_DIR}/{layout.SUPERUSER_PASSWORD}").read().rstrip("\\r\\n")
client.login_superuser(email, secret)
page = {{"published_html": ("index.html", b"<!doctype html><p>{MARK}")}}
project = {{"name": "a", "kit": "a", "domain": domain}}
print(client.create_record("_tk_projects", project, files=page)["id"])
"""


def publish(host: LabHost, superuser: str) -> str:
    """Make a project that is published on the host's domain; returns its id."""
    python = f"{layout.AGENT_VENV}/venv/bin/python"
    words = ["env", f"PYTHONPATH={layout.AGENT_VENV}", python, "-", host.domain, superuser]
    return host.ssh(words, input_text=_PUBLISH).stdout.strip()


@dataclass(frozen=True)
class Visit:
    """One request for the page.

    Attributes:
        style: `own` connection, or one of a `pool`.
        began, ended: on this machine's monotonic clock, in seconds.
        said: "200" for the page itself; else another status with where it leads to, or an error.
        again: the kept connection was closed meanwhile, so a new one was opened.
    """

    style: str
    began: float
    ended: float
    said: str
    again: bool

    @property
    def is_fine(self) -> bool:
        """Whether the visitor got the page."""
        return self.said == FINE


@dataclass
class Traffic:
    """Visitors from the outside client, as a context manager; `visits` has all at its end."""

    lab: Lab
    rates: dict[str, float]  #: requests a second of each style
    count: int = 0  #: so many requests, or 0 for as long as the context lasts
    visits: list[Visit] = field(default_factory=list)

    def __enter__(self) -> Traffic:
        host = self.lab.hosts[0]
        rates = [f"{style}={rate}" for style, rate in self.rates.items()]
        words = [sys.executable, str(WORKER), host.address4, host.domain, MARK, str(self.count)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = self.lab.outside.command([*words, *rates])
        self.process: subprocess.Popen[str] = subprocess.Popen(command, **pipes)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        if self.count:
            self._reader.join(COUNT_SECONDS)
        self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(END_SECONDS)

    def wait_for(self, *kinds: tuple[str, bool], count: int = 1) -> bool:
        """Wait for so many visits more of each kind: (style, whether he got the page)."""
        before = len(self.visits)

        def seen() -> bool:
            new = Counter((visit.style, visit.is_fine) for visit in list(self.visits)[before:])
            return all(new[kind] >= count for kind in kinds)

        return until(seen)

    def between(self, began: float, ended: float) -> list[Visit]:
        """Visits that were under way in this time."""
        return [visit for visit in self.visits if visit.ended >= began and visit.began <= ended]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.visits.append(Visit(**json.loads(line)))


def answers(visits: Iterable[Visit]) -> dict[str, int]:
    """How many visitors got what."""
    return dict(Counter(visit.said for visit in visits))
