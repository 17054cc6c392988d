"""Asking an edge from where the allowed and the not allowed are, and watching what it passes on."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from tinykit_ops.lab import cgroups
from tinykit_ops.lab.host import LabHost

HERE = Path(__file__).parent
MARK = "X-Soak-Id"
Headers = Sequence[tuple[str, str]]


class Order(Protocol):
    """Something that a worker can be told to ask."""

    @property
    def number(self) -> int:
        """Unique in the campaign."""

    def order(self) -> dict[str, Any]:
        """The worker's input."""


@dataclass(frozen=True)
class Ask:
    """One request.

    Attributes:
        number: unique in the campaign; the witness finds the request again by it.
        address: of the host, IPv4 or IPv6.
        name: the server's name in TLS (SNI); None for plain HTTP, "" for TLS without a name.
        raw: the request, byte for byte.
        method: what of the answer's body is to be expected depends on it.
        fresh: on a connection of its own.
        all: also wait for what comes behind the answer.
    """

    number: int
    address: str
    name: str | None
    raw: bytes
    method: str = "GET"
    port: int = 443
    fresh: bool = False
    all: bool = False
    seconds: float = 90.0

    def order(self) -> dict[str, Any]:
        """As `edge_worker` reads it."""
        return {
            "n": self.number,
            "address": self.address,
            "port": self.port,
            "sni": self.name,
            "raw": base64.b64encode(self.raw).decode(),
            "method": self.method,
            "fresh": self.fresh,
            "all": self.all,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 means nothing that is HTTP, and `error` says why."""

    status: int
    header_list: list[tuple[str, str]]
    text: str
    more: str
    error: str

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name; values of equal names are joined."""
        found: dict[str, str] = {}
        for name, value in self.header_list:
            key = name.lower()
            found[key] = f"{found[key]}, {value}" if key in found else value
        return found


@dataclass(frozen=True)
class Arrival:
    """A request that reached a server behind the edge."""

    port: int
    method: str
    target: str
    header_list: list[tuple[str, str]]
    odd: bool  #: its length could be read in two ways

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.header_list if key == name.lower()]


def request(
    method: str, target: str, host: str, number: int, headers: Headers = (), body: str = ""
) -> bytes:
    """A request of HTTP/1.1 as bytes; `target` goes out exactly as it stands (Latin-1)."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"{MARK}: {number}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method in {"POST", "PUT", "PATCH", "DELETE"}:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body.encode()


class Vantage:
    """A place in the network from which requests are sent: a long-lived worker runs there."""

    def __init__(
        self, name: str, enter: Sequence[str] = (), worker: str = "edge_worker.py"
    ) -> None:
        """`enter` is the command that runs the words behind it in another namespace."""
        self.name = name
        words = [*enter, sys.executable, str(HERE / worker)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask_all(self, asks: Iterable[Order]) -> dict[int, Answer]:
        """Send all of these, several at a time; answers by number."""
        wanted = list(asks)
        lines = [json.dumps(ask.order()) + "\n" for ask in wanted]
        # From a thread of its own: both pipes would fill up otherwise.
        sender = threading.Thread(target=self._send, args=(lines,))
        sender.start()
        found = {}
        for _ in wanted:
            line = _pipe(self.process.stdout).readline()
            if not line:
                raise RuntimeError(f"The worker of {self.name} ended (see its output above).")
            said = json.loads(line)
            found[said["n"]] = Answer(
                said.get("status", 0),
                [(name, value) for name, value in said.get("headers", [])],
                said.get("body", ""),
                said.get("more", ""),
                said.get("error", ""),
            )
        sender.join()
        return found

    def forget(self) -> None:
        """Open new connections from now on (the edge was reloaded)."""
        self._send(['{"forget": true}\n'])

    def close(self) -> None:
        """End the worker."""
        _end(self.process)

    def _send(self, lines: list[str]) -> None:
        stdin = _pipe(self.process.stdin)
        stdin.writelines(lines)
        stdin.flush()


@dataclass
class Witness:
    """Knows which requests arrived at tinykit and PocketBase on a host."""

    host: LabHost
    arrived: dict[int, list[Arrival]] = field(default_factory=dict)
    lost: int = 0
    odd: list[Arrival] = field(default_factory=list)

    def __post_init__(self) -> None:
        leader = self.host.machine.leader()
        enter = ["nsenter", "--target", str(leader), "--net", "--"]
        words = [*enter, sys.executable, str(HERE / "edge_sniffer.py")]
        self.process = subprocess.Popen(
            cgroups.inside(self.host.machine.names.clients_cgroup, words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if not _pipe(self.process.stdout).readline():
            raise RuntimeError("The witness on the host's loopback did not start.")

    def look(self) -> dict[int, list[Arrival]]:
        """Everything that arrived since the last look, by the number of the request.

        What is still on its way is no answer yet: ask when the answers are there.
        """
        stdin = _pipe(self.process.stdin)
        stdin.write("now\n")
        stdin.flush()
        found: dict[int, list[Arrival]] = {}
        while True:
            line = _pipe(self.process.stdout).readline()
            if not line:
                raise RuntimeError("The witness on the host's loopback ended.")
            said = json.loads(line)
            if "sync" in said:
                self.lost = said["lost"]
                return found
            arrival = Arrival(
                said["port"], said["method"], said["target"], said["headers"], said["odd"]
            )
            for number in arrival.values(MARK):
                if number.isdigit():
                    found.setdefault(int(number), []).append(arrival)

    def close(self) -> None:
        """Stop watching."""
        _end(self.process)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _end(process: subprocess.Popen[str]) -> None:
    _pipe(process.stdin).close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _pipe(process.stdout).close()
