"""A real edge with the configuration of a host, on free ports, before stand-ins of both servers."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from edge_client import DOMAIN, Edge
from edge_drivers import DRIVERS, Driver, Place
from edge_standins import Upstream
from ports import free_port
from waiting import PATIENCE, until

from tinykit_ops.edge.plan import sites
from tinykit_ops.settings import Settings, load_settings


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.kind)
def driver(request: pytest.FixtureRequest) -> Driver:
    """Each kind of edge in turn."""
    chosen: Driver = request.param
    return chosen


@pytest.fixture
def edge(driver: Driver, tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    """Starts an edge with these settings beside the smallest ones.

    `cdn` are the networks that the host knows of a CDN; everything else is settings.
    """
    ends: list[Callable[[], object]] = []

    def start(*, cdn: tuple[str, ...] = (), **changes: Any) -> Edge:
        folder = tmp_path / str(len(ends))
        folder.mkdir()
        tinykit, pocketbase = Upstream("tinykit"), Upstream("pocketbase")
        for upstream in (tinykit, pocketbase):
            upstream.start()
            ends.append(upstream.end)
        made = Edge(
            *(free_port(), free_port()),
            *(tinykit, pocketbase),
            *(folder / "access.log", folder / "said.log"),
            free_port(),
        )
        settings = _settings(driver, folder, changes)
        place = Place(
            folder,
            *(made.http_port, made.https_port, made.spare_port),
            *(tinykit.port, pocketbase.port),
            *(made.log, made.said),
            cdn,
        )
        process = driver.start(settings, place)
        ends.append(lambda: _end(process))
        _wait(made, process, settings)
        return made

    yield start
    for end in reversed(ends):
        end()


def _settings(driver: Driver, folder: Path, changes: dict[str, Any]) -> Settings:
    data = {
        "domains": [DOMAIN],
        "admin_email": "you@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
        **changes,
    }
    names = [*data["domains"], *filter(None, [data.get("builder_domain")])]
    own = {"kind": driver.kind, "tls": driver.tls(folder, names)}
    return load_settings({**data, "edge": {**own, **changes.get("edge", {})}}, where="test")


def _wait(edge: Edge, process: subprocess.Popen[bytes], settings: Settings) -> None:
    """Until every name has its certificate."""
    waiting = [name for site in sites(settings) for name in site.names]

    def all_have_one() -> bool:
        assert process.poll() is None, f"the edge ended:\n{edge.said.read_text()}"
        try:
            while waiting:
                edge.connect(waiting[0]).close()
                waiting.pop(0)
            socket.create_connection(("127.0.0.1", edge.http_port), PATIENCE).close()
        except OSError:
            return False
        return True

    until(all_have_one, f"a certificate for each of {waiting}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:  # a stream of a failed test may still be open
        process.kill()
        process.wait(PATIENCE)
