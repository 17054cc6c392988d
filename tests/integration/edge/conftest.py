"""A real Caddy with the rendered Caddyfile, on free ports, before stand-ins of both servers."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tinykit_ops.artifacts import local_binary
from tinykit_ops.edge.caddy import HOOK_TOKEN, caddyfile
from tinykit_ops.settings import load_settings

DOMAIN = "apps.example.com"
TOKEN = "the-secret-of-the-hooks-0123456789"
GOOD = "__Host-tinykit_ops=good"

Asked = list[tuple[str, dict[str, str]]]
Answer = tuple[int, dict[str, str], str]


class _Server(BaseHTTPRequestHandler):
    """Answers with its own name, judges by the cookie, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    name = ""
    asked: Asked

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.asked.append((self.path, headers))
        status = self._judged(headers) if "/tinykit-ops/judge/" in self.path else 200
        body = b"" if status == 204 else self.name.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _judged(self, headers: dict[str, str]) -> int:
        if headers.get("x-tinykit-ops-token") != TOKEN:
            return 403
        return 204 if GOOD in headers.get("cookie", "") else 401

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@dataclass
class Edge:
    """A running edge, and what was asked behind it."""

    http_port: int
    https_port: int
    tinykit: Asked
    pocketbase: Asked
    log: Path

    def ask(
        self, path: str, method: str = "GET", *, host: str = DOMAIN, body: str = "", **headers: str
    ) -> Answer:
        """Status, headers and body of an answer over TLS."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = socket.create_connection(("127.0.0.1", self.https_port), timeout=10)
        connection = http.client.HTTPConnection(DOMAIN)
        connection.sock = context.wrap_socket(raw, server_hostname=DOMAIN)
        return _exchange(connection, method, path, body, {"Host": host, **headers})

    def ask_plainly(self, path: str, host: str = DOMAIN) -> Answer:
        """The same without TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        return _exchange(connection, "GET", path, "", {"Host": host})


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: str, headers: Any
) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body=body or None, headers=named)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    return answer.status, {key.lower(): value for key, value in answer.getheaders()}, text


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    """Starts an edge with these settings beside the smallest ones."""
    ends: list[Callable[[], object]] = []

    def start(**changes: Any) -> Edge:
        tinykit, pocketbase = _serve("tinykit", ends), _serve("pocketbase", ends)
        made = Edge(_free_port(), _free_port(), tinykit[1], pocketbase[1], tmp_path / "access.log")
        config = tmp_path / "Caddyfile"
        config.write_text(_moved(_rendered(changes), made, tinykit[0], pocketbase[0], tmp_path))
        ends.append(_run(config, made, tmp_path))
        return made

    yield start
    for end in reversed(ends):
        end()


def _rendered(changes: dict[str, Any]) -> str:
    data = {
        "domains": [DOMAIN],
        "admin_email": "you@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
        "edge": {"tls": {"mode": "internal"}},
    }
    return caddyfile(load_settings({**data, **changes}, where="test"))


def _moved(text: str, edge: Edge, tinykit: int, pocketbase: int, folder: Path) -> str:
    """The Caddyfile with this test's ports and folders; the rest is as it goes to a host."""
    (folder / "hook-token").write_text(TOKEN)
    ports = f"http_port {edge.http_port}\n\thttps_port {edge.https_port}"
    for old, new in {
        "admin unix//run/caddy/admin.sock": f"admin off\n\t{ports}",
        HOOK_TOKEN: str(folder / "hook-token"),
        "127.0.0.1:3000": f"127.0.0.1:{tinykit}",
        "127.0.0.1:8091": f"127.0.0.1:{pocketbase}",
        "/var/log/caddy/access.log": str(edge.log),
    }.items():
        text = text.replace(old, new)
    return text


def _serve(name: str, ends: list[Callable[[], object]]) -> tuple[int, Asked]:
    asked: Asked = []
    handler = type("Handler", (_Server,), {"name": name, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ends.extend([server.server_close, server.shutdown])
    return server.server_address[1], asked


def _run(config: Path, edge: Edge, folder: Path) -> Callable[[], object]:
    command = [str(local_binary("caddy")), "run", "--adapter", "caddyfile", "--config", str(config)]
    said = folder / "caddy.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": "/usr/bin:/bin"},
        )

    def end() -> None:
        process.terminate()
        process.wait(20)

    for _ in range(400):
        if process.poll() is not None:
            break
        if "certificate obtained successfully" in said.read_text() and _listens(edge.https_port):
            return end
        time.sleep(0.05)
    end()
    raise RuntimeError(f"Caddy did not come up:\n{said.read_text()}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
