"""A running edge as its clients see it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from edge_standins import Upstream
from waiting import PATIENCE

DOMAIN = "apps.example.com"
V4, V6 = "127.0.0.1", "::1"


class Answer(NamedTuple):
    """What came back. Header names are lower case, and several values of one are joined; `cookies`
    are the values of Set-Cookie."""

    status: int
    headers: dict[str, str]
    body: str
    cookies: list[str]


@dataclass
class Edge:
    """A running edge, and the stand-ins behind it."""

    http_port: int
    https_port: int
    tinykit: Upstream
    pocketbase: Upstream
    log: Path
    said: Path
    spare_port: int = 0

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        host: str = DOMAIN,
        sni: str | None = None,
        at: str = V4,
        body: str = "",
        told: dict[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        """One request over TLS.

        Args:
            at: address of the edge; the client then has the same.
            told: how the server behind is to answer (see `edge_standins`).
            headers: `X_Real_Ip` stands for `X-Real-Ip`.
        """
        connection = http.client.HTTPConnection(host)
        connection.sock = self.connect(sni or host, at)
        wanted = {"X-Answer": json.dumps(told)} if told else {}
        try:
            return _exchange(connection, method, path, body, {"Host": host, **wanted, **headers})
        finally:
            connection.close()

    def ask_plainly(self, path: str, *, host: str = DOMAIN, at: str = V4, **headers: str) -> Answer:
        """The same without TLS."""
        connection = http.client.HTTPConnection(at, self.http_port, timeout=PATIENCE)
        try:
            return _exchange(connection, "GET", path, "", {"Host": host, **headers})
        finally:
            connection.close()

    def say(self, request: str, *, host: str = DOMAIN, at: str = V4) -> str:
        """These very bytes over TLS; what came back until the edge hung up."""
        with self.connect(host, at) as stream:
            stream.sendall(request.encode("latin-1"))
            parts = []
            while part := stream.recv(65536):
                parts.append(part)
        return b"".join(parts).decode("latin-1")

    def connect(self, sni: str | None, at: str = V4, **limits: ssl.TLSVersion) -> ssl.SSLSocket:
        """A TLS connection that asks for this name.

        Raises:
            ssl.SSLError: the edge refused the handshake.
        """
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if limits:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = limits["newest"]
        raw = socket.create_connection((at, self.https_port), timeout=PATIENCE)
        try:
            return context.wrap_socket(raw, server_hostname=sni)
        except BaseException:
            raw.close()
            raise


def received(stream: ssl.SSLSocket, wanted: bytes) -> bytes:
    """What comes up to and with these bytes."""
    got = b""
    while wanted not in got:
        part = stream.recv(65536)
        assert part, f"it ended before {wanted!r}: {got!r}"
        got += part
    return got


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: str,
    headers: dict[str, str],
) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body or None, headers=named)
    answer = connection.getresponse()
    got = [(name.lower(), value) for name, value in answer.getheaders()]
    text = answer.read().decode("utf-8", "replace")
    cookies = [value for name, value in got if name == "set-cookie"]
    joined = {name: ", ".join(value for each, value in got if each == name) for name, _ in got}
    return Answer(answer.status, joined, text, cookies)
