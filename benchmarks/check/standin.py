"""A stand-in for a thousand hardened instances: one process that answers at every address as an
edge answers a stranger. No tinykit, no PocketBase, no reverse proxy.

`python -m benchmarks.check.standin CERTIFICATE` prints a line when it listens, on 443 and 80.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Mapping

from benchmarks.check.kit import Answers, Say, hardened, say

BACKLOG = 1024
Ready = Mapping[str, bytes]


def rendered(answers: Answers) -> dict[str, bytes]:
    """Every answer as its bytes, by `host path`, `METHOD path` or `path`."""
    return {key: render(*each) for key, each in answers.items() if not callable(each)}


def render(status: int, body: str, headers: Mapping[str, str]) -> bytes:
    """The bytes of one answer."""
    payload = body.encode()
    fields = {"content-length": str(len(payload)), "connection": "close", **headers}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + payload


class Answering(asyncio.Protocol):
    """One connection, one request, one answer."""

    def __init__(self, ready: Ready, other: Say) -> None:
        self._ready = ready
        self._other = render(*other)
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio. A body is not waited for: no answer depends on one."""
        self._data += data
        if b"\r\n\r\n" in self._data:
            self._transport.write(self._answer())
            self._transport.close()

    def _answer(self) -> bytes:
        first, *lines = self._data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        host = next((line[5:].strip() for line in lines if line.lower().startswith("host:")), "")
        keys = (f"{host.partition(':')[0]} {path}", f"{method} {path}", path)
        return next((self._ready[key] for key in keys if key in self._ready), self._other)


async def serve(certificate: str) -> None:
    """Listen at every address of this network namespace, until killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    answers = rendered(hardened())
    loop = asyncio.get_running_loop()
    away = say(308, "", location="https://instance.fleet.test/")
    await loop.create_server(
        lambda: Answering(answers, say(404)), "0.0.0.0", 443, ssl=tls, backlog=BACKLOG
    )
    await loop.create_server(lambda: Answering({}, away), "0.0.0.0", 80, backlog=BACKLOG)
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
