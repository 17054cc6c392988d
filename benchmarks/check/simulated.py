"""Where the simulated instances live: a network namespace in which every address of a subnet is
one, behind a firewall that drops what is not for the web."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from benchmarks.check.errors import BenchmarkError
from benchmarks.check.kit import Authority
from benchmarks.check.room import Room, room

SUBNET = IPv4Network("10.213.64.0/18")  #: an address an instance
_RULES = """\
table inet fleet {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        tcp dport { 80, 443 } accept
    }
}
"""


@dataclass(frozen=True)
class Fleet:
    """Simulated instances that answer.

    Attributes:
        ca_file: the authority of their certificates.
    """

    ca_file: Path

    def names(self, count: int) -> list[str]:
        """The host names of the first so many."""
        return [f"i{number:04}.fleet.test" for number in range(count)]

    def words(self, count: int) -> list[str]:
        """The arguments of `tinykit-ops check` that mean the first so many."""
        names = self.names(count)
        addresses = (SUBNET[256 + number] for number in range(count))
        places = zip(names, addresses, strict=True)
        return [
            *(f"https://{name}" for name in names),
            *(f"--resolve={name}:443:{address}" for name, address in places),
            f"--ca-file={self.ca_file}",
        ]


@contextmanager
def simulated_instances(folder: Path, core: int) -> Iterator[Fleet]:
    """Let them answer, from one core, while the block lasts.

    Args:
        folder: for certificates.
    Raises: BenchmarkError when the stand-in does not start.
    """
    authority = Authority(folder)
    certificate = authority.certificate("*.fleet.test")
    with room("tkbench-fleet", SUBNET) as place:
        place.filter(_RULES)
        with _server(place, certificate, core):
            yield Fleet(authority.ca_file)


@contextmanager
def _server(place: Room, certificate: Path, core: int) -> Iterator[None]:
    program = [sys.executable, "-m", "benchmarks.check.standin", str(certificate)]
    words = place.command(["taskset", "--cpu-list", str(core), *program])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "listening\n":
                raise BenchmarkError("The stand-in for many instances did not start")
            yield
        finally:
            process.kill()
