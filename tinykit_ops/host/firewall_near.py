"""The networks that this host is part of: public addresses may be behind a router's firewall, too.

In a home or an office each machine has a public IPv6 address. The world does not get to it, but a
host of the same network does.
"""

from __future__ import annotations

import json
import subprocess
from ipaddress import ip_network

from tinykit_ops import layout
from tinykit_ops.settings.network_list import Networks, in_order

#: A shorter prefix is no network of neighbours but a way out (a tunnel, a line to a provider).
SHORTEST = {4: 16, 6: 48}


def near() -> Networks:
    """Public networks that this host reaches without a router; none where `ip` cannot tell."""
    found: Networks = []
    for family in ("-4", "-6"):
        words = ["ip", "-json", family, "route", "show", "table", "main"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        found += near_in(done.stdout)
    return in_order(found)


def near_in(routes: str) -> Networks:
    """The same out of what `ip -json route` prints for one family."""
    found: Networks = []
    for route in json.loads(routes or "[]"):
        by_router = {"gateway", "via", "nexthops"} & route.keys()
        if by_router or route.get("dev", "lo") in ("lo", layout.DOCKER_BRIDGE):
            continue
        try:
            network = ip_network(route["dst"])
        except ValueError:
            continue  # "default"
        if network.is_global and SHORTEST[network.version] <= network.prefixlen:
            found.append(network)
    return found
