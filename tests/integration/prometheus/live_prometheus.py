"""A real Prometheus that scrapes real exporters, and answers."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from waiting import until, until_it_listens


def start(words: Sequence[str | Path], folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Run a program until it listens; its output goes into a file of the folder."""
    log = folder / f"{Path(words[0]).name}-{port}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(words, cwd=folder, stdout=said, stderr=said)
    try:
        until_it_listens(port, process, log.read_text)
    except AssertionError:
        process.kill()
        raise
    return process


def fetch(url: str) -> str:
    """What an address answers."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


class Prometheus:
    """A Prometheus at a port of loopback, from the moment that it answers questions."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._wait_ready()

    def query(self, expression: str, time: float | None = None) -> list[dict[str, Any]]:
        """The series of an instant query."""
        return self._ask("query", query=expression, **({"time": time} if time else {}))

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[dict[str, Any]]:
        """The series of a range, times in seconds since 1970."""
        return self._ask("query_range", query=expression, start=start, end=end, step=step)

    def metric_names(self) -> set[str]:
        """Every metric that it has a series of."""
        found: set[str] = set(self._api("label/__name__/values"))
        return found

    def _wait_ready(self) -> None:
        # It listens before its store is open, and refuses questions until then.
        def is_ready() -> bool:
            try:
                return bool(fetch(f"{self.url}/-/ready"))
            except OSError:
                return False

        until(is_ready, f"{self.url} ready")

    def _ask(self, kind: str, **words: Any) -> list[dict[str, Any]]:
        data: dict[str, Any] = self._api(f"{kind}?{urllib.parse.urlencode(words)}")
        series: list[dict[str, Any]] = data["result"]
        return series

    def _api(self, path: str) -> Any:
        try:
            return json.loads(fetch(f"{self.url}/api/v1/{path}"))["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from None
