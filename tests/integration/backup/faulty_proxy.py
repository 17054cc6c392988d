"""A proxy in front of an S3 server that does what networks and services do on a bad day."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from waiting import PATIENCE

#: After these a client is ended by nothing but its own patience. Give it little for them alone: a
#: busy machine is silent for a while, too, and what is sent again because of that would count.
SILENT = {"silent", "closing"}


@dataclass
class Request:
    """One request as the proxy saw it."""

    method: str
    path: str
    body: bytes


@dataclass
class Fault:
    """What happens to the requests that `hits` says yes to, `times` times (-1: always).

    Attributes:
        kind: `status`, `drop` (no answer), `lost` (done, but no answer), `half` (an answer that
            ends early), `silent` (no answer, connection open), `closing` (half-closed: the sending
            side is shut, nothing comes), `slow` (everything in small pieces), `flip` (one bit of
            the request's body).
    """

    kind: str
    hits: Callable[[Request], bool] = lambda _: True
    times: int = -1
    status: int = 500
    code: str = "InternalError"
    headers: dict[str, str] = field(default_factory=dict)


class FaultyProxy(ThreadingHTTPServer):
    """Start it with `with`. Client and server agree on the `Host` header, so signatures hold."""

    daemon_threads = True
    request_queue_size = 128  # who finds it full waits a second before the next try

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.seen: list[Request] = []
        self.done: list[Request] = []  #: answered by the server with 2xx
        self.ending = threading.Event()
        self.busy = 0  #: requests that are under way
        self._lock = threading.Lock()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count a request as long as the block runs."""
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Connections break here on purpose."""

    def fault_for(self, request: Request) -> Fault | None:
        with self._lock:
            self.seen.append(request)
            for fault in self.faults:
                if fault.times != 0 and fault.hits(request):
                    fault.times -= 1
                    return fault
        return None

    def parts_sent(self) -> list[str]:
        """The part numbers that reached the server, in order."""
        return [
            one.path.split("partNumber=")[1].split("&")[0]
            for one in self.done
            if one.method == "PUT" and "partNumber=" in one.path
        ]


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        with self.server.at_work():
            self._one()

    def _one(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, body)
        fault = self.server.fault_for(request)
        kind = fault.kind if fault else ""
        if kind == "drop":
            return self.connection.shutdown(socket.SHUT_RDWR)
        if kind == "closing":
            self.connection.shutdown(socket.SHUT_WR)
            self.server.ending.wait(20)
            return None
        if kind == "silent":
            self.server.ending.wait(20)
            return None
        if fault and kind == "status":
            text = f"<Error><Code>{fault.code}</Code><Message>no</Message></Error>".encode()
            return self._answer(fault.status, {**fault.headers, "Date": _now(fault)}, text)
        if kind == "flip" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        status, headers, content = self._forward(request, body)
        if kind == "lost":
            return self.connection.shutdown(socket.SHUT_RDWR)
        if kind == "half":
            headers["Content-Length"] = str(len(content))
            return self._answer(status, headers, content[: len(content) // 2])
        return self._answer(status, headers, content, slow=kind == "slow")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _do  # noqa: N815

    def _forward(self, request: Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = HTTPConnection("127.0.0.1", self.server.upstream, timeout=PATIENCE)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            if answer.status < 300:
                self.server.done.append(request)
            kept = {
                k: v
                for k, v in answer.getheaders()
                if k.lower() not in ("connection", "transfer-encoding", "date", "server")
            }
            return answer.status, kept, content
        finally:
            upstream.close()

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, *, slow: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in headers):
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        step = max(1, len(content) // 10) if slow else max(1, len(content))
        for start in range(0, len(content), step):
            if slow:
                time.sleep(0.1)
            self.wfile.write(content[start : start + step])

    def log_message(self, *_: object) -> None:
        pass


def _now(fault: Fault) -> str:
    ahead = float(fault.headers.get("X-Ahead", 0))
    return formatdate(time.time() + ahead, usegmt=True)
