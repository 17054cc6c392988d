"""The distribution's nginx, run as on a host but for ports, folders and rights."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_standins import TOKEN
from waiting import until

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.edge.nginx import nginx_conf
from tinykit_ops.host.certificate_step import CertificateStep
from tinykit_ops.settings import Settings

if TYPE_CHECKING:
    from edge_client import Edge
    from edge_drivers import Place

#: What the configuration names, and what stands for it in the test's folder.
FOLDERS = {
    layout.NGINX_TLS: "tls",
    layout.NGINX_RUN: "run",
    layout.NGINX_TEMP: "temp",
    layout.ACME_WEBROOT: "webroot",
}


class NginxDriver:
    """nginx, with certificates that the agent makes and what the unit prepares for it."""

    kind = "nginx"

    def tls(self, folder: Path, names: list[str]) -> dict[str, Any]:
        """An authority of the host's own."""
        return {"mode": "internal"}

    def start(self, settings: Settings, place: Place) -> subprocess.Popen[bytes]:
        """Runs it in the foreground."""
        config = self.prepare(settings, place)
        as_here = f"daemon off; user root; pid {place.folder}/nginx.pid;"
        with place.said.open("wb") as said:
            return subprocess.Popen(
                [layout.NGINX_BINARY, "-c", config, "-e", "stderr", "-g", as_here],
                stdout=said,
                stderr=said,
            )

    def prepare(self, settings: Settings, place: Place) -> Path:
        """All that nginx reads, made and checked as on a host; returns the configuration."""
        for name in (*FOLDERS.values(), "credentials"):
            (place.folder / name).mkdir(exist_ok=True)
        CertificateStep(settings, place.folder / "tls", place.folder / "ca").apply()
        (place.folder / "credentials" / layout.HOOK_TOKEN).write_text(f"{TOKEN}\n")
        (place.folder / "cdn-networks").write_text("".join(f"{one}\n" for one in place.cdn))
        config = place.folder / "nginx.conf"
        config.write_text(self.moved(nginx_conf(settings), place))
        script = place.folder / "prepare"
        script.write_text(self.moved(render("nginx/prepare.sh.j2"), place))
        environment = {"CREDENTIALS_DIRECTORY": str(place.folder / "credentials")}
        done = subprocess.run(
            ["sh", script], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return config

    def moved(self, text: str, place: Place) -> str:
        """A text with this test's ports and folders."""
        moves = {path: str(place.folder / name) for path, name in FOLDERS.items()}
        moves |= {
            layout.NGINX_CONFIG: str(place.folder / "nginx.conf"),
            layout.CDN_NETWORKS: str(place.folder / "cdn-networks"),
            f"{layout.NGINX_LOGS}/access.log": str(place.log),
            f"127.0.0.1:{layout.NGINX_STATUS_PORT}": f"127.0.0.1:{place.spare_port}",
            f"server 127.0.0.1:{layout.TINYKIT_PORT}": f"server 127.0.0.1:{place.tinykit}",
            f"server 127.0.0.1:{layout.POCKETBASE_PORT}": f"server 127.0.0.1:{place.pocketbase}",
            "worker_processes auto": "worker_processes 1",
        }
        words = "|".join(map(re.escape, moves))
        text = re.sub(rf"({words})(?!\w)", lambda found: moves[found[1]], text)
        # All ports in one pass: the port that one gets may begin with the digits of another.
        ports = {"80": place.http_port, "443": place.https_port}
        return re.sub(r"(listen (?:\[::\]:)?)(80|443)\b", lambda at: f"{at[1]}{ports[at[2]]}", text)


def logged(running: Edge, count: int) -> list[dict[str, Any]]:
    """So many lines of the access log; nginx writes one after it has answered."""
    until(lambda: running.log.read_text().count("\n") >= count, f"{count} lines of the log")
    return [json.loads(line) for line in running.log.read_text().splitlines()]
