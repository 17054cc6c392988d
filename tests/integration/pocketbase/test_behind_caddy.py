"""Whom PocketBase sees behind the real edge, whatever a client claims about itself."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pocketbase_kit import Server
from ports import free_port
from waiting import PATIENCE, until

from tinykit_ops.artifacts import local_binary
from tinykit_ops.edge.caddy import HOOK_TOKEN, caddyfile
from tinykit_ops.host import server_settings
from tinykit_ops.settings import Settings, load_settings

DOMAIN = "apps.example.com"
LOGINS = 10
#: Every header that some server takes an address from, and a client may set.
FORGED = {
    "X-Forwarded-For": "203.0.113.66",
    "X-Forwarded-Host": "evil.example.com",
    "X-Real-IP": "203.0.113.66",
    "Forwarded": "for=203.0.113.66",
    "CF-Connecting-IP": "203.0.113.66",
    "True-Client-IP": "203.0.113.66",
}


@dataclass(frozen=True)
class Edge:
    """A Caddy with the rendered configuration before one PocketBase."""

    port: int
    pocketbase: Server

    def ask(
        self, method: str, path: str, client: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON of an answer to a client with this address of the loopback network."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPConnection(DOMAIN)
        raw = socket.create_connection(
            ("127.0.0.1", self.port), PATIENCE, source_address=(client, 0)
        )
        connection.sock = context.wrap_socket(raw, server_hostname=DOMAIN)
        sent = {"Host": DOMAIN, **FORGED, **headers}
        try:
            if body is not None:
                sent["Content-Type"] = "application/json"
            connection.request(method, path, json.dumps(body) if body else None, sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text

    def log_in(self, client: str, **headers: str) -> int:
        """The status of a login with a wrong password."""
        path = "/_pb/api/collections/users/auth-with-password"
        wrong = {"identity": "nobody@example.com", "password": "wrong-password"}
        return self.ask("POST", path, client, wrong, **headers)[0]


@pytest.fixture
def edge(version: str, template: Path, tmp_path: Path) -> Iterator[Edge]:
    """An edge and a PocketBase of each version, set as the claim sets it."""
    settings = load_settings(
        {
            "domains": [DOMAIN],
            "admin_email": "you@example.com",
            "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
            "edge": {"tls": {"mode": "internal"}, "limits": {"logins": LOGINS}},
            "access": {"allowlist": ["127.0.0.0/8"]},
        },
        where="test",
    )
    server = Server(tmp_path, version, template)
    caddy = None
    try:
        server.start()
        for _, patch in server_settings.changes(settings, server.pb.get_settings()):
            server.pb.update_settings(patch)
        port = free_port()
        caddy = run_caddy(settings, server, port, tmp_path)
        yield Edge(port, server)
    finally:
        if caddy:
            caddy.terminate()
            caddy.wait(PATIENCE)
        server.kill()


def run_caddy(settings: Settings, server: Server, port: int, folder: Path) -> Any:
    """The rendered Caddyfile with this test's ports and folders."""
    text = caddyfile(settings)
    ports = f"http_port {free_port()}\nhttps_port {port}"
    for old, new in {
        "admin unix//run/caddy/admin.sock": f"admin off\n{ports}",
        HOOK_TOKEN: str(server.token_file),
        "127.0.0.1:8091": f"127.0.0.1:{server.port}",
        "/var/log/caddy/access.log": str(folder / "access.log"),
    }.items():
        text = text.replace(old, new)
    server.token_file.write_text(server.token)  # Caddy hands the file on as it is
    config = folder / "Caddyfile"
    config.write_text(text)
    words = [str(local_binary("caddy")), "run", "--adapter", "caddyfile", "--config", str(config)]
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            words,
            stdout=log,
            stderr=log,
            env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": os.defpath},
        )
    until(lambda: process.poll() is not None or _shakes_hands(port), "Caddy's certificate")
    return process


def _shakes_hands(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 5) as raw,
            context.wrap_socket(raw, server_hostname=DOMAIN),
        ):
            return True
    except OSError:
        return False


def test_pocketbase_sees_the_client_and_not_what_it_claims(edge: Edge) -> None:
    token = str(edge.pocketbase.pb._http.headers["Authorization"])
    for client in ("127.0.0.2", "127.0.0.3"):
        for forged in ("203.0.113.66", "127.0.0.1", f"{client}, 127.0.0.1", ""):
            headers = {"Authorization": token, "X-Forwarded-For": forged}
            status, answer = edge.ask("GET", "/_pb/api/health", client, **headers)
            assert (status, answer["data"]["realIP"]) == (200, client)


def test_guessing_is_limited_and_told_by_the_clients_own_address(edge: Edge) -> None:
    answers = Counter(
        edge.log_in("127.0.0.2", **{"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(2 * LOGINS + 2)
    )
    # The window is a fixed minute: it may begin anew once in the middle.
    assert answers[429] >= 2 and answers[400] >= LOGINS
    assert edge.log_in("127.0.0.3") == 400
    lines = edge.pocketbase.log_text().splitlines()
    refused = [line.split("refused from ")[1] for line in lines if "login refused" in line]
    assert set(refused) == {"127.0.0.2 (users)", "127.0.0.3 (users)"}


def test_loading_pages_is_no_guessing(edge: Edge) -> None:
    path = "/_pb/api/collections/users/auth-refresh"
    answers = {edge.ask("POST", path, "127.0.0.2")[0] for _ in range(3 * LOGINS)}
    assert answers == {401}


def test_whoever_claims_to_be_loopback_is_limited_all_the_same(edge: Edge) -> None:
    claims = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "::1"}
    answers = Counter(edge.log_in("127.0.0.2", **claims) for _ in range(2 * LOGINS + 2))
    assert answers[429] >= 2


def test_our_own_routes_cannot_be_asked_through_the_edge(edge: Edge) -> None:
    for name in ("judge?need=account&match=all", "limit/logins", f"tls-ask?domain={DOMAIN}"):
        secret = {"X-Tinykit-Ops-Token": edge.pocketbase.token}
        status, _ = edge.ask("GET", f"/_pb/api/tinykit-ops/{name}", "127.0.0.2", **secret)
        assert status == 404
