"""Which TCP sockets listen, as the kernel says."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from tinykit_ops.checks.host import HostFacts
from tinykit_ops.checks.model import CannotLook

_LISTEN = "0A"  #: TCP_LISTEN of the kernel's include/net/tcp_states.h


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket."""

    address: IPv4Address | IPv6Address
    port: int

    @property
    def is_loopback(self) -> bool:
        """Can only this host connect to it?"""
        mapped = self.address.ipv4_mapped if isinstance(self.address, IPv6Address) else None
        return (mapped or self.address).is_loopback


def listeners(host: HostFacts) -> list[Listener]:
    """All listening sockets, IPv4 and IPv6. Raises CannotLook."""
    found: list[Listener] = []
    tables = [host.read("/proc/net/tcp"), host.read("/proc/net/tcp6")]
    if tables[0] is None:
        raise CannotLook("the host has no /proc/net/tcp")
    for table in tables:
        for line in (table or "").splitlines()[1:]:
            words = line.split()
            if len(words) > 3 and words[3] == _LISTEN:
                found.append(_parse(words[1]))
    return found


def _parse(local: str) -> Listener:
    """Read `0100007F:0BB8`: 32-bit words in the machine's (little-endian) order."""
    address, port = local.split(":")
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return Listener(ip_address(b"".join(words)), int(port, 16))
