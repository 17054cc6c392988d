"""A network namespace of the benchmark's own, reached over a pair of interfaces: what is in it is
another machine to whoever looks from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from benchmarks.check.errors import BenchmarkError
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.network import remove_links, remove_netns


@dataclass(frozen=True)
class Room:
    """A namespace in which every address of a subnet, but for the first ones, is its own."""

    name: str

    def command(self, words: Sequence[str]) -> list[str]:
        """The command that runs `words` in it."""
        return ["ip", "netns", "exec", self.name, *words]

    def filter(self, rules: str) -> None:
        """Load nft rules in it."""
        run(self.command(["nft", "-f", "-"]), input_text=rules)


@contextmanager
def room(name: str, subnet: IPv4Network) -> Iterator[Room]:
    """Make one, and remove it when the block ends.

    Args:
        name: of the namespace; the interface out here has its first 15 letters.
        subnet: its second address is this machine's, all others are the room's.
    Raises: BenchmarkError when there is one of this name; CommandError.
    """
    link = name[:15]
    if Path("/run/netns", name).exists():
        raise BenchmarkError(
            "There is a network namespace of this name: another benchmark may be running",
            where=name,
            hint=f"when none is, `ip netns delete {name}`",
        )
    try:
        run(["ip", "netns", "add", name])
        run(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name])
        run(["ip", "address", "add", f"{subnet[1]}/{subnet.prefixlen}", "dev", link])
        run(["ip", "link", "set", link, "up"])
        inside = ["ip", "-netns", name]
        run([*inside, "link", "set", "lo", "up"])
        run([*inside, "address", "add", f"{subnet[2]}/{subnet.prefixlen}", "dev", "eth0"])
        run([*inside, "link", "set", "eth0", "up"])
        # Every address is local there (ip-route(8), type local), so one listener serves them all;
        # the kernel answers for them by ARP as for its own.
        run([*inside, "route", "add", "local", str(subnet), "dev", "eth0"])
        run([*inside, "route", "add", f"{subnet[1]}/32", "dev", "eth0"])
        yield Room(name)
    finally:
        remove_links([link])
        remove_netns(name)
