"""A web server with real sockets that answers as it is told, also badly."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Say = tuple[int, str, Mapping[str, str]]
Misbehave = Callable[[socket.socket, threading.Event], None]
Answers = dict[str, Say | Misbehave]


def say(status: int, body: str = "", **headers: str) -> Say:
    return status, body, {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """Answers by `METHOD path from ORIGIN`, `host path`, `METHOD path`, `path`, and else with
    `other`."""

    answers: Answers = field(default_factory=dict)
    other: Say | Misbehave = field(default_factory=lambda: say(404))
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    address: str = "127.0.0.1"

    def __enter__(self) -> Site:
        self._stop = threading.Event()
        self._listener = socket.create_server((self.address, 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            request = _read(connection)
            if request is None:
                return
            self.requests.append(request)
            host = request.headers.get("host", "").partition(":")[0]
            asked = f"{request.method} {request.path}"
            own = f"{asked} from {request.headers.get('origin')}"
            keys = (own, f"{host} {request.path}", asked, request.path)
            answer = next((self.answers[key] for key in keys if key in self.answers), self.other)
            if callable(answer):
                answer(connection, self._stop)
            else:
                connection.sendall(_render(*answer))
        except OSError:
            pass
        finally:
            connection.close()


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in rest)
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Request(method, path, headers, body)


def _render(status: int, body: str, headers: Mapping[str, str]) -> bytes:
    payload = body.encode()
    fields = {"content-length": str(len(payload)), **headers}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + payload


# Faults.


def never_answer(_: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def reset(connection: socket.socket, _: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def close(_: socket.socket, __: threading.Event) -> None:
    return None


def send(data: bytes) -> Misbehave:
    return lambda connection, _: connection.sendall(data)


def drip(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while not stop.wait(0.05):
        connection.sendall(b"y")


def endless(start: bytes, again: bytes) -> Misbehave:
    def pour(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(start)
        while not stop.is_set():
            connection.sendall(again)

    return pour


#: These end by nothing but the patience of who asks: give little of it to them alone, for a busy
#: machine is silent for a moment, too.
SILENT = {"never answers", "drips", "endless 100s"}


def patience(fault: str) -> float:
    """Seconds for one request that meets this fault."""
    return 0.5 if fault in SILENT else 60.0


FAULTS: dict[str, Misbehave] = {
    "never answers": never_answer,
    "resets": reset,
    "closes": close,
    "drips": drip,
    "half a body": send(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n<svg"),
    "half a chunk": send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n<svg"),
    "bad chunk": send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n<svg"),
    "not http": send(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "no status": send(b"HTTP/1.1 abc\r\n\r\n"),
    "nul bytes": send(b"\0" * 4096),
    "endless headers": endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 50),
    "endless header": endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 4096),
    "endless 100s": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "endless body": endless(b"HTTP/1.1 200 OK\r\n\r\nhotel", b"wifi" * 4096),
    "endless chunks": endless(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"4\r\nwifi\r\n" * 1000
    ),
    "captive portal": send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 23\r\n\r\n"
        b"<html>hotel wifi</html>"
    ),
    "portal redirect": send(
        b"HTTP/1.1 302 Found\r\nlocation: https://portal.example/\r\ncontent-length: 0\r\n\r\n"
    ),
    "too many requests": send(b"HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n"),
    "bad gateway": send(b"HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n"),
}
