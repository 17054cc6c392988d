"""Lists of networks as CDNs publish them: one a line, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from tinykit_ops.settings.firewall import MAX_NETWORKS
from tinykit_ops.settings.problems import printable

Networks = list[IPv4Network | IPv6Network]

MAX_BYTES = 4_000_000
#: No CDN has more than this in one piece; a shorter prefix is a mistake, or an attack.
SHORTEST = {4: 8, 6: 16}


def networks_in(text: str) -> Networks:
    """The networks that a list names, sorted and without repetitions.

    Args:
        text: one network a line, where `#` begins a comment; or JSON with networks anywhere in it.

    Raises:
        ValueError: what is wrong, in words: it is empty, too long, a line is no network, or a
            network is implausibly large.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"is longer than {MAX_BYTES} bytes")
    stripped = text.strip()
    found = _from_json(stripped) if stripped[:1] in ("{", "[") else _from_lines(stripped)
    networks = set(found)
    if not networks:
        raise ValueError("names no network")
    if len(networks) > MAX_NETWORKS:
        raise ValueError(f"names {len(networks)} networks, more than {MAX_NETWORKS}")
    for network in networks:
        if network.prefixlen < SHORTEST[network.version]:
            raise ValueError(f"holds {network}, which is too large to be a CDN's")
    return in_order(networks)


def in_order(networks: Iterable[IPv4Network | IPv6Network]) -> Networks:
    """IPv4 first, by address; what others contain is left out."""
    found = list(networks)
    return [
        *collapse_addresses(n for n in found if isinstance(n, IPv4Network)),
        *collapse_addresses(n for n in found if isinstance(n, IPv6Network)),
    ]


def _from_lines(text: str) -> Iterator[IPv4Network | IPv6Network]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].strip()
        if not words:
            continue
        try:
            yield ip_network(words)
        except ValueError:
            raise ValueError(f"line {number}: {printable(words)} is no network") from None


def _from_json(text: str) -> Iterator[IPv4Network | IPv6Network]:
    """Every text in it that is a network; dates and names beside them are not."""
    try:
        yield from _within(json.loads(text))
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("begins like JSON and is none") from None


def _within(value: Any) -> Iterator[IPv4Network | IPv6Network]:
    if isinstance(value, str):
        try:
            yield ip_network(value)
        except ValueError:
            if "/" in value and value.replace("/", "").replace(".", "").isdigit():
                raise ValueError(f"{printable(value)} is no network") from None
    elif isinstance(value, dict):
        for member in value.values():
            yield from _within(member)
    elif isinstance(value, list):
        for member in value:
            yield from _within(member)
