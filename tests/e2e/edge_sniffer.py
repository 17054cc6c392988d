"""What really arrives at tinykit and PocketBase: reads the loopback of a lab host, as a program.

It runs in the host's network namespace and sees every request that anybody sends to port 3000 or
8091, as bytes on the wire, before a server reads it. So whether a request got through the edge,
where to, and with which headers is a fact and not a guess from an answer.

A line on standard input makes it write down what it has seen, then `{"sync": the line, "lost": n}`.
Standard library only.
"""

from __future__ import annotations

import ctypes
import json
import re
import select
import socket
import struct
import sys
from typing import Any

PORTS = (3000, 8091)
MARK = b"x-soak-id"
SOL_PACKET, PACKET_STATISTICS, SO_ATTACH_FILTER, SO_RCVBUFFORCE = 263, 6, 26, 33
ETH_P_ALL = 3
REQUEST_LINE = re.compile(rb"\A([^\s\x00-\x20]+) (.*) HTTP/1\.[01]\r?\n", re.DOTALL)
MAX_WAITING = 1 << 20
WINDOW = 1 << 30


def listen() -> socket.socket:
    """A socket that gets the packets to our ports, once each (loopback shows them twice)."""
    # Classic BPF (see bpf(4)): not outgoing, IPv4, TCP, destination port one of two.
    program = [
        (0x20, 0, 0, 0xFFFFF004),  # packet type
        (0x15, 9, 0, 4),  # outgoing: drop
        (0x28, 0, 0, 12),  # ethernet's type
        (0x15, 0, 7, 0x0800),
        (0x30, 0, 0, 23),  # protocol
        (0x15, 0, 5, 6),
        (0xB1, 0, 0, 14),  # length of the IP header
        (0x48, 0, 0, 16),  # destination port
        (0x15, 1, 0, PORTS[0]),
        (0x15, 0, 1, PORTS[1]),
        (0x06, 0, 0, 0x40000),  # keep
        (0x06, 0, 0, 0),  # drop
    ]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    kept = ctypes.create_string_buffer(code)
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    head = struct.pack("HL", len(program), ctypes.addressof(kept))
    found.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)
    found.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    found.bind(("lo", 0))
    found.setblocking(False)
    return found


class Stream:
    """One connection to a server, read as HTTP/1.1 by the book."""

    def __init__(self, port: int, following: int) -> None:
        self.port = port
        self.following = following
        self.early: dict[int, bytes] = {}
        self.waiting = b""
        self.skip = 0

    def segment(self, number: int, data: bytes) -> list[dict[str, Any]]:
        """The requests that are complete with this segment, which TCP may send early or twice."""
        found = []
        self.early[number] = data
        while self.following in self.early:
            piece = self.early.pop(self.following)
            self.following = (self.following + len(piece)) % (1 << 32)
            found.extend(self.feed(piece))
        # What is behind was sent again: it has been read. Numbers are compared around their end.
        self.early = {
            at: piece
            for at, piece in self.early.items()
            if (at - self.following) % (1 << 32) < WINDOW
        }
        return found

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The requests that are complete (to the end of their headers) with this data."""
        if not self.waiting and not self.skip and not REQUEST_LINE.match(data):
            return []  # the middle of something that began before we listened
        self.waiting += data
        found = []
        while self.waiting:
            if self.skip:
                taken = min(self.skip, len(self.waiting))
                self.waiting, self.skip = self.waiting[taken:], self.skip - taken
                continue
            end = self.waiting.find(b"\r\n\r\n")
            if end < 0 or not REQUEST_LINE.match(self.waiting):
                if len(self.waiting) > MAX_WAITING or not REQUEST_LINE.match(self.waiting):
                    self.waiting = b""
                break
            head, rest = self.waiting[:end], self.waiting[end + 4 :]
            request, framing = self._request(head)
            found.append(request)
            if framing == "chunked":
                end_of_body = rest.find(b"0\r\n\r\n")
                rest = rest[end_of_body + 5 :] if end_of_body >= 0 else b""
            elif framing:
                self.skip = int(framing)
            self.waiting = rest
        return found

    def _request(self, head: bytes) -> tuple[dict[str, Any], str]:
        match = REQUEST_LINE.match(head + b"\r\n")
        assert match is not None
        lines = head.split(b"\r\n")[1:]
        headers = []
        for line in lines:
            name, _, value = line.partition(b":")
            headers.append([name.decode("latin-1").lower(), value.strip().decode("latin-1")])
        lengths = [value for name, value in headers if name == "content-length"]
        coded = [value for name, value in headers if name == "transfer-encoding"]
        odd = (
            bool(lengths and coded) or len(lengths) > 1 or any(line[:1] in b" \t" for line in lines)
        )
        framing = "chunked" if coded else lengths[0] if lengths and lengths[0].isdigit() else ""
        return {
            "port": self.port,
            "method": match[1].decode("latin-1"),
            "target": match[2].decode("latin-1"),
            "headers": headers,
            "odd": odd,
        }, framing


def main() -> None:
    """Watch until standard input ends."""
    packets, lost = listen(), 0
    streams: dict[tuple[int, int], Stream] = {}
    seen: list[dict[str, Any]] = []

    def drain() -> None:
        while True:
            try:
                frame = packets.recv(1 << 18)
            except BlockingIOError:
                return
            at = 14 + (frame[14] & 15) * 4
            source, port, number = struct.unpack("!HHI", frame[at : at + 8])
            flags = frame[at + 13]
            if flags & 0x02:  # SYN: somebody new on this port
                streams[(source, port)] = Stream(port, (number + 1) % (1 << 32))
            data = frame[at + (frame[at + 12] >> 4) * 4 :]
            if data:
                stream = streams.setdefault((source, port), Stream(port, number))
                seen.extend(stream.segment(number, data))

    print(json.dumps({"ready": True}), flush=True)
    while True:
        ready, _, _ = select.select([packets, sys.stdin], [], [])
        drain()
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            drain()
            lost += struct.unpack("II", packets.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
            for request in seen:
                sys.stdout.write(json.dumps(request) + "\n")
            seen.clear()
            sys.stdout.write(json.dumps({"sync": line.strip(), "lost": lost}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
