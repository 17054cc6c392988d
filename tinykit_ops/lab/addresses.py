"""Choosing private networks that nothing on this machine uses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from tinykit_ops.errors import UnavailableError
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.locks import locked

#: Candidates, 512 pairs of /24: a corner of 10/8 that few VPNs and no container engine use.
POOL4 = IPv4Network("10.118.0.0/15")
CHOOSING = Path("/run/tinykit-ops-lab-networks")  #: locked while a lab chooses
CHOOSE_SECONDS = 60.0
FIRST_HOST = 10  #: .1 is this machine (or the gateway of the outside client), hosts from .11


@dataclass(frozen=True)
class LabNetworks:
    """The lab's two subnets in both families: the hosts', and the outside client's."""

    hosts4: IPv4Network
    hosts6: IPv6Network
    outside4: IPv4Network
    outside6: IPv6Network

    @property
    def controller4(self) -> IPv4Address:
        """This machine, as the hosts see it."""
        return self.hosts4[1]

    @property
    def controller6(self) -> IPv6Address:
        """This machine, as the hosts see it."""
        return self.hosts6[1]

    @property
    def client4(self) -> IPv4Address:
        """The outside client."""
        return self.outside4[2]

    @property
    def client6(self) -> IPv6Address:
        """The outside client."""
        return self.outside6[2]

    def host4(self, number: int) -> IPv4Address:
        """Host `number`, counted from 1."""
        return self.hosts4[FIRST_HOST + number]

    def host6(self, number: int) -> IPv6Address:
        """Host `number`, counted from 1."""
        return self.hosts6[FIRST_HOST + number]


@contextmanager
def choosing(folder: Path = CHOOSING) -> Iterator[None]:
    """Look for free networks, and take some, while no other lab of this machine does.

    Labs of other folders do not wait for each other, and a network that one has chosen is only seen
    to be taken when its bridge is there.

    Raises: BusyError when another one takes very long.
    """
    with locked(folder, wait_seconds=CHOOSE_SECONDS):
        try:
            yield
        finally:
            with suppress(OSError):  # who waits makes it anew
                folder.rmdir()


def choose(lab_id: str, used: Iterable[IPv4Network | IPv6Network]) -> LabNetworks:
    """Pick networks for a lab, always the same ones for the same `lab_id` unless taken.

    Args:
        used: every network that is routed, assigned or needed (resolvers) on this machine.
    Raises: UnavailableError when all candidates are taken.
    """
    taken4 = [n for n in used if isinstance(n, IPv4Network)]
    taken6 = [n for n in used if isinstance(n, IPv6Network)]
    digest = hashlib.sha256(lab_id.encode()).digest()
    pairs = list(POOL4.subnets(new_prefix=23))
    start = int.from_bytes(digest[:4], "big") % len(pairs)
    for pair in [*pairs[start:], *pairs[:start]]:
        if any(pair.overlaps(network) for network in taken4):
            continue
        # A unique local prefix (RFC 4193): fd, 40 bits of our own, then a subnet number.
        seed = hashlib.sha256(digest + pair.network_address.packed).digest()
        prefix = IPv6Network((b"\xfd" + seed[:5] + bytes(10), 48))
        if any(prefix.overlaps(network) for network in taken6):
            continue
        hosts4, outside4 = pair.subnets(new_prefix=24)
        hosts6, outside6 = (IPv6Network((int(prefix[0]) + (n << 64), 64)) for n in (1, 2))
        return LabNetworks(hosts4, hosts6, outside4, outside6)
    raise UnavailableError(
        f"All private networks that a lab may use ({POOL4}) are taken on this machine.",
        hint="tinykit-ops lab list shows the labs; end those you do not need.",
    )


def used_networks() -> list[IPv4Network | IPv6Network]:
    """Every network this machine routes to, has an address in, or asks for names."""
    found: list[IPv4Network | IPv6Network] = [ip_network(str(a)) for a in resolvers()]
    for family in ("-4", "-6"):
        routes = run(["ip", "-json", family, "route", "show", "table", "all"]).stdout
        found += networks_of_routes(routes)
    return found


def networks_of_routes(routes_json: str) -> list[IPv4Network | IPv6Network]:
    """The destinations in the output of `ip -json route`, less default and multicast."""
    found: list[IPv4Network | IPv6Network] = []
    for route in json.loads(routes_json or "[]"):
        destination = route.get("dst", "default")
        if destination == "default":
            continue
        network = ip_network(destination, strict=False)
        if not network.is_multicast and network.prefixlen > 0:
            found.append(network)
    return found


def resolvers(files: Iterable[Path] | None = None) -> list[IPv4Address | IPv6Address]:
    """Name servers of this machine that a lab host can reach as well (none on loopback).

    Args:
        files: where to look, in order; the first file with a usable server wins.
    """
    places = files or [
        Path("/etc/resolv.conf"),
        Path("/run/systemd/resolve/resolv.conf"),  # behind systemd-resolved's 127.0.0.53
        Path("/run/NetworkManager/no-stub-resolv.conf"),
    ]
    for path in places:
        found = []
        for line in path.read_text().splitlines() if path.exists() else []:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                address = ip_address(words[1].split("%")[0])
                if not address.is_loopback and not address.is_link_local:
                    found.append(address)
        if found:
            return found
    return []
