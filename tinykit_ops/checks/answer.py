"""HTTP answers, read with a deadline and a bound, and network errors in words."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_BODY = 4 << 20  #: bytes read of an answer, the rest is not asked for; big scripts have 1.3 MB


@dataclass(frozen=True)
class Answer:
    """An HTTP response; satisfies `tinykit_ops.edge.probe.Response`.

    Attributes:
        cut: there was more of the body than was read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    request: str  #: e.g. `GET /tinykit`, for evidence
    cut: bool = False

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def content_type(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def is_legible(self) -> bool:
        """Is all of the body here, as it is, so that what is not in it is not there?"""
        encoding = self.headers.get("content-encoding", "").strip().lower()
        return not self.cut and encoding in ("", "identity")

    def __str__(self) -> str:
        where = f" to {self.headers['location'][:120]}" if "location" in self.headers else ""
        return f"{self.request} answered {self.status}{where}"


class _UntilDeadline(io.RawIOBase):
    """Reads from a socket, however slowly it comes, until the deadline and not longer."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(left(self._deadline))
        return self._connection.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` asks of a socket."""
        return io.BufferedReader(self)


def read_answer(connection: socket.socket, deadline: float, method: str, label: str) -> Answer:
    """Read one response.

    Args:
        connection: what the request was sent on.
        deadline: in `time.monotonic()` seconds.
        method: of the request; a HEAD has no body.
        label: how evidence calls the request.

    Raises:
        OSError, http.client.HTTPException: no complete answer in time, or none that is HTTP.
    """
    source: Any = _UntilDeadline(connection, deadline)
    response = http.client.HTTPResponse(source, method=method)
    try:
        response.begin()
        body = response.read(MAX_BODY + 1)
        cut = len(body) > MAX_BODY
        if response.length and not cut:
            raise http.client.IncompleteRead(body, response.length)
    finally:
        response.close()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body[:MAX_BODY], label, cut)


def left(deadline: float) -> float:
    """Seconds until a deadline of `time.monotonic()`. Raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("out of time")
    return left


def describe(error: BaseException) -> str:
    """A network error in words, without Python's numbers."""
    if isinstance(error, TimeoutError):
        return "no complete answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError | ssl.SSLEOFError):
        return "the connection was closed without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer ended half-way"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or error})"
    if isinstance(error, http.client.HTTPException):
        return f"not an HTTP answer ({type(error).__name__})"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
