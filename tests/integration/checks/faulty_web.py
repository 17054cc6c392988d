"""A proxy in front of an instance that does what networks and strangers do on a bad day."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = dict[str, str]
LONGEST = 20.0  #: seconds that a fault goes on; far longer than a client waits
_HEAD = b"HTTP/1.1 200 OK\r\n"
#: Answers in the place of the instance's: status, type, other headers, body.
ANSWERS: dict[str, tuple[int, str, Headers, bytes]] = {
    "429": (429, "text/plain", {"Retry-After": "60"}, b"slow down"),
    "502": (502, "text/html", {}, b"<html>bad gateway</html>"),
    "503": (503, "text/html", {}, b""),
    "empty": (204, "text/plain", {}, b""),
    "portal page": (200, "text/html", {}, b"<html><title>Hotel wifi</title>Room number?</html>"),
    "portal redirect": (302, "text/html", {"Location": "https://wifi.example/login"}, b""),
    "redirect loop": (302, "text/html", {"Location": "?"}, b""),
    "octets": (200, "application/octet-stream", {}, bytes(range(256)) * 8),
    "a list": (200, "application/json", {}, b"[]"),
    "null": (200, "application/json", {}, b"null"),
    "half JSON": (200, "application/json", {}, b'{"items":[{"na'),
    "deep JSON": (200, "application/json", {}, b'{"a":' * 90_000),
    "huge body": (200, "text/plain", {}, b" " * (3 << 20)),
}
STREAMS: dict[str, tuple[bytes, bytes]] = {
    "endless header": (_HEAD + b"x: ", b"y" * 4096),
    "endless headers": (_HEAD, b"x: y\r\n" * 500),
    "endless body": (_HEAD + b"\r\n", b"wifi" * 4096),
    "garbage": (b"SSH-2.0-OpenSSH_9.2\r\n", b""),
    "half answer": (_HEAD + b"Content-Length: 999\r\n\r\n<svg", b""),
    "bad chunk": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b""),
    "no answer": (b"", b""),
}
SPECIAL = ("silence", "reset", "drip", "expired login", "strange JSON")
KINDS = (*ANSWERS, *STREAMS, *SPECIAL)
#: Somebody else's complete answer; one route alone may well lead to a login elsewhere.
FOREIGN = frozenset({"portal page", "portal redirect", "redirect loop"})


class FaultyWeb(ThreadingHTTPServer):
    """Start it with `with`; `hits(number, method, path)` says which requests meet the fault."""

    daemon_threads = True
    request_queue_size = 128  # who finds it full waits a second before the next try

    def __init__(self, upstream: int, rng: random.Random) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.rng = rng
        self.kind = ""
        self.hits: Callable[[int, str, str], bool] = lambda *_: False
        self.seen: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self.hit = 0
        self.ending = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> FaultyWeb:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Connections break here on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: FaultyWeb
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.requestline.split(" ")[1]
        with self.server.lock:
            number = len(self.server.seen)
            self.server.seen.append((self.command, path))
            self.server.agents.add(self.headers.get("User-Agent", ""))
            kind = self.server.kind if self.server.hits(number, self.command, path) else ""
            self.server.hit += bool(kind)
        if kind in ANSWERS:
            return self._answer(*ANSWERS[kind])
        if kind in STREAMS:
            return self._pour(*STREAMS[kind])
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + b"\0" * 7)
            return self.connection.close()
        if kind == "silence":
            self.server.ending.wait(LONGEST)
            return None
        if kind == "drip":
            return self._pour(_HEAD + b"x: ", b"y", 0.05)
        return self._forward(path, body, kind)

    do_GET = do_POST = do_DELETE = do_HEAD = _do  # noqa: N815

    def _pour(self, start: bytes, again: bytes, pause: float = 0.0) -> None:
        self.wfile.write(start)
        for _ in range(int(LONGEST / pause) if pause else 20_000):
            if not again or self.server.ending.wait(pause):
                return
            self.wfile.write(again)

    def _forward(self, path: str, body: bytes, kind: str) -> None:
        sent = dict(self.headers.items())
        if kind == "expired login" and "Authorization" in sent:
            sent["Authorization"] = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmVk"
        upstream = HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        try:
            upstream.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            content = answer.read()
        except (OSError, HTTPException, ValueError):
            return
        finally:
            upstream.close()
        if kind == "strange JSON":
            content = _strange(content, self.server.rng)
        said = {k: v for k, v in answer.getheaders() if k.lower() not in _OWN}
        self._answer(answer.status, answer.getheader("Content-Type") or "", said, content)

    def _answer(self, status: int, kind: str, headers: Headers, content: bytes) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "Content-Type": kind, "Connection": "close"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


_OWN = {"connection", "transfer-encoding", "content-type", "content-length"}


def _strange(content: bytes, rng: random.Random) -> bytes:
    """The same JSON with some values of other types."""
    try:
        return json.dumps(_twist(json.loads(content), rng)).encode()
    except ValueError:
        return content


def _twist(value: object, rng: random.Random) -> object:
    if rng.random() < 0.04:
        return rng.choice([None, [], {}, "x", 7, -1.5, True, [None], {"a": [1]}])
    if isinstance(value, dict):
        return {key: _twist(each, rng) for key, each in value.items()}
    return [_twist(each, rng) for each in value] if isinstance(value, list) else value
