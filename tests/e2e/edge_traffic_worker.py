"""Visitors of a page, run as a program where they are: some requests a second, one line of JSON of
each answer.

    edge_traffic_worker.py ADDRESS DOMAIN MARK COUNT STYLE=RATE …

Styles: `own` (a connection for each request) and `pool` (connections are kept; one that the server
closed meanwhile is replaced, as browsers do). COUNT requests of all styles together; with 0, until
standard input ends. Standard library only, because it runs in other network namespaces.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time

SECONDS = 60.0  # for which somebody waits for a page
#: So many wait at a time; on a machine that is busy, the next ones come later instead. The firewall
#: lets one address have a hundred connections at least.
MOST = 60
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SilentError(ConnectionError):
    """The connection ended before the first byte of an answer."""


class Visitors:
    """People at one address, who all want the same page."""

    def __init__(self, address: str, domain: str, mark: str) -> None:
        self.address, self.domain, self.mark = address, domain, mark.encode()
        self.idle: list[Pipe] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    async def visit(self, style: str) -> None:
        """Ask for the page once, and say what came."""
        began, again = time.monotonic(), False
        try:
            async with asyncio.timeout(SECONDS):
                said, again = await (self._own() if style == "own" else self._pooled())
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError) as error:
            said = f"{type(error).__name__}: {error}"[:120]
        told = {"style": style, "began": began, "ended": time.monotonic(), "said": said}
        print(json.dumps({**told, "again": again}), flush=True)

    async def _own(self) -> tuple[str, bool]:
        pipe = await self._connect()
        try:
            return (await self._ask(pipe, "close"))[0], False
        finally:
            pipe[1].close()

    async def _pooled(self) -> tuple[str, bool]:
        while self.idle and self.idle[-1][0].at_eof():
            self.idle.pop()[1].close()
        kept = bool(self.idle)
        pipe = self.idle.pop() if kept else await self._connect()
        try:
            said, stays = await self._ask(pipe, "keep-alive")
        except (SilentError, ConnectionError):
            pipe[1].close()
            if not kept:
                raise
            pipe = await self._connect()
            said, stays = await self._ask(pipe, "keep-alive")
            self._keep(pipe, stays)
            return said, True
        except BaseException:
            pipe[1].close()
            raise
        self._keep(pipe, stays)
        return said, False

    def _keep(self, pipe: Pipe, stays: bool) -> None:
        if stays:
            self.idle.append(pipe)
        else:
            pipe[1].close()

    async def _connect(self) -> Pipe:
        return await asyncio.open_connection(
            self.address, 443, ssl=self.context, server_hostname=self.domain
        )

    async def _ask(self, pipe: Pipe, connection: str) -> tuple[str, bool]:
        """Returns what was said ("200" for the page itself), and whether the connection stays."""
        reader, writer = pipe
        head = f"GET / HTTP/1.1\r\nHost: {self.domain}\r\nConnection: {connection}\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        line = await reader.readline()
        if not line:
            raise SilentError("no answer")
        status = line.split()[1].decode()
        headers = await _headers(reader)
        body = await _body(reader, headers)
        if status == "200" and self.mark not in body:
            status = "200, and another page"
        if "location" in headers:
            status += f" {headers['location']}"
        return status, connection == "keep-alive" and headers.get("connection") != "close"


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    found: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        found[name.lower()] = value.strip()
    return found


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        return await reader.read()
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def main(address: str, domain: str, mark: str, count: str, *rates: str) -> None:
    """Send visitors at their times until enough were there, or nobody wants more."""
    visitors = Visitors(address, domain, mark)
    told_to_end = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(told_to_end), sys.stdin
    )
    wanted = [(style, float(rate)) for style, _, rate in (text.partition("=") for text in rates)]
    start, sent, visits = time.monotonic(), [0] * len(wanted), set()
    while not told_to_end.at_eof() and not 0 < int(count) <= sum(sent):
        for number, (style, rate) in enumerate(wanted):
            due = int((time.monotonic() - start) * rate)
            while sent[number] < due and len(visits) < MOST and not 0 < int(count) <= sum(sent):
                sent[number] += 1
                visit = asyncio.create_task(visitors.visit(style))
                visits.add(visit)
                visit.add_done_callback(visits.discard)
            if count == "0":
                sent[number] = max(sent[number], due)  # nobody comes later who found no room
        await asyncio.sleep(0.002)
    if visits:
        await asyncio.wait(visits)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
