"""How each kind of edge is run for a test: as on a host, but for ports, folders and rights."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge_standins import TOKEN
from nginx_driver import NginxDriver

from tinykit_ops import layout
from tinykit_ops.artifacts import local_binary
from tinykit_ops.edge.caddy import HOOK_TOKEN, caddyfile
from tinykit_ops.settings import Settings


@dataclass(frozen=True)
class Place:
    """Where an edge runs: an empty folder of its own, and ports.

    Attributes:
        tinykit, pocketbase: ports of what is behind.
        log: where the access log has to go.
        said: where the program's own output has to go.
        spare_port: for a listener of the edge's own.
        cdn: networks of the CDN, as the host knows them.
    """

    folder: Path
    http_port: int
    https_port: int
    spare_port: int
    tinykit: int
    pocketbase: int
    log: Path
    said: Path
    cdn: tuple[str, ...] = ()


class Driver(Protocol):
    """One kind of edge."""

    kind: str

    def tls(self, folder: Path, names: list[str]) -> dict[str, Any]:
        """The settings under `edge.tls` with which it has certificates for these names."""

    def start(self, settings: Settings, place: Place) -> subprocess.Popen[bytes]:
        """Runs it in the foreground; it may not listen yet. The caller ends it by SIGTERM."""


class CaddyDriver:
    """Caddy, with certificates that it makes itself."""

    kind = "caddy"

    def tls(self, folder: Path, names: list[str]) -> dict[str, Any]:
        return {"mode": "internal"}

    def start(self, settings: Settings, place: Place) -> subprocess.Popen[bytes]:
        config = place.folder / "Caddyfile"
        config.write_text(self.moved(caddyfile(settings), place))
        folder = str(place.folder)
        with place.said.open("wb") as said:
            return subprocess.Popen(
                [local_binary("caddy"), "run", "--adapter", "caddyfile", "--config", config],
                stdout=said,
                stderr=said,
                env={"HOME": folder, "XDG_DATA_HOME": folder, "PATH": "/usr/bin:/bin"},
            )

    def moved(self, text: str, place: Place) -> str:
        """The Caddyfile with this test's ports and folders."""
        token, cdn = place.folder / "hook-token", place.folder / "cdn.caddyfile"
        token.write_text(TOKEN)
        if place.cdn:
            cdn.write_text(f"trusted_proxies static {' '.join(place.cdn)}\n")
        ports = f"http_port {place.http_port}\n\thttps_port {place.https_port}"
        moves = {
            "admin unix//run/caddy/admin.sock": f"admin off\n\t{ports}",
            HOOK_TOKEN: str(token),
            layout.CADDY_CDN: str(cdn),
            f"{layout.CADDY_LOGS}/access.log": str(place.log),
            f"127.0.0.1:{layout.CADDY_ASK_PORT}": f"127.0.0.1:{place.spare_port}",
            f"127.0.0.1:{layout.TINYKIT_PORT}": f"127.0.0.1:{place.tinykit}",
            f"127.0.0.1:{layout.POCKETBASE_PORT}": f"127.0.0.1:{place.pocketbase}",
        }
        # In one pass, and whole words: a free port may begin with the digits of another one, 3000.
        words = "|".join(map(re.escape, moves))
        return re.sub(rf"({words})(?![\w-])", lambda found: moves[found[1]], text)


#: Every test of this folder runs with each of these.
DRIVERS: tuple[Driver, ...] = (CaddyDriver(), NginxDriver())
