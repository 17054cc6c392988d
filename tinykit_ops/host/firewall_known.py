"""What the firewall has to be told by the host itself: resolvers, addresses, a CDN's networks."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import requests

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import files
from tinykit_ops.host.firewall_wants import Wants
from tinykit_ops.settings.network_list import MAX_BYTES, Networks, in_order, networks_in

RESOLV_CONF = Path("/etc/resolv.conf")
FETCH_SECONDS = 20
#: glibc asks this one where the file names none (resolv.conf(5)).
_DEFAULT_RESOLVER = "127.0.0.1"

Address = IPv4Address | IPv6Address
Fetch = Callable[[str], str]
Resolve = Callable[[str, int], list[str]]


@dataclass
class Known:
    """What was fetched and resolved last.

    Attributes:
        llm: "host:port" → its addresses; an empty list when it had none.
        cdn: address of a list → its networks.
    """

    llm: dict[str, list[str]] = field(default_factory=dict)
    cdn: dict[str, list[str]] = field(default_factory=dict)


def read_known(path: Path) -> Known:
    """What is kept in a file; nothing when there is none, or when it is broken."""
    try:
        return Known(**json.loads(files.read(path) or "{}"))
    except (ValueError, TypeError):
        return Known()


def write_known(path: Path, known: Known) -> None:
    """Keep it."""
    files.write(path, json.dumps(asdict(known), indent=1, sort_keys=True) + "\n", mode=0o600)


def resolvers(path: Path = RESOLV_CONF) -> list[str]:
    """The name servers that programs on this host ask."""
    found = []
    for line in (files.read(path) or "").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                found.append(str(ip_address(words[1].split("%")[0])))
            except ValueError:
                continue
    return sorted(set(found)) or [_DEFAULT_RESOLVER]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, or of an address in any notation; empty when it has none."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(row[4][0]).split("%")[0] for row in rows})


def fetch(address: str) -> str:
    """The text behind an https address, also after redirects; at most `MAX_BYTES` of it.

    Raises:
        UnavailableError: it cannot be had.
    """
    try:
        with requests.get(address, timeout=FETCH_SECONDS, stream=True) as answer:
            answer.raise_for_status()
            hops = (*answer.history, answer)
            if not all(hop.url.startswith("https://") for hop in hops):
                raise UnavailableError("it redirects to an unsafe address", where=address)
            body = b""
            for chunk in answer.iter_content(65536):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise UnavailableError(f"it is longer than {MAX_BYTES} bytes", where=address)
            return body.decode()
    except (requests.RequestException, UnicodeDecodeError) as error:
        raise UnavailableError(
            f"the list of networks cannot be read: {error}", where=address
        ) from None


def fetched_networks(address: str, before: list[str], fetch: Fetch) -> list[str]:
    """The networks of a CDN's list as it is now.

    Raises:
        UnavailableError: it cannot be had, is broken, or has lost more than half of what it had.
    """
    try:
        now = networks_in(fetch(address))
    except ValueError as error:
        raise UnavailableError(f"the list of networks {error}", where=address) from None
    if len(now) * 2 < len(before):
        raise UnavailableError(
            f"the list of networks has shrunk from {len(before)} to {len(now)}",
            where=address,
            hint="if that is right, remove its part from "
            "/var/lib/tinykit-ops/firewall/known.json and deploy again",
        )
    return [str(network) for network in now]


def cdn_networks(wants: Wants, known: Known) -> Networks:
    """Every network of the CDN: those that the controller knows, and those of fetched lists."""
    found = wants.known_networks
    for address in wants.lists:
        found += [ip_network(text) for text in known.cdn.get(address, [])]
    return in_order(found)
