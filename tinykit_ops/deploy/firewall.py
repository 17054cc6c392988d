"""Render the firewall, and refuse one that would shut out whoever applies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.settings import Settings
from tinykit_ops.settings.model import Network
from tinykit_ops.settings.network_list import networks_in
from tinykit_ops.settings.pyinfra_error import RunStoppedError

#: Where tinykit's server has no business, though it may be routed: IANA's registries of special
#: addresses, and what clouds use for themselves.
CLOSED4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",  # shared by providers; Alibaba's metadata
    "127.0.0.0/8",
    "168.63.129.16/32",  # Azure's host, on a public address
    "169.254.0.0/16",  # link-local; everybody else's metadata
    "172.16.0.0/12",
    "192.0.0.0/24",  # Oracle's metadata
    "192.0.2.0/24",
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",  # multicast, reserved, broadcast
)
#: The same within 2000::/3; everything beside that is closed anyway (loopback, mapped, NAT64,
#: unique local with AWS's metadata, link-local, multicast).
CLOSED6 = (
    "2001::/23",  # protocol assignments; Teredo embeds IPv4
    "2001:db8::/32",
    "2002::/16",  # 6to4 embeds IPv4
    "3fff::/20",
)
#: Connections for each event stream that an address may have, and the least for anybody: many
#: people share an address, browsers open six connections, and a reload leaves old ones behind.
CONNECTIONS_A_STREAM = 5
MIN_CONNECTIONS = 100


def ruleset(settings: Settings) -> str:
    """The nftables file of an instance."""
    firewall = settings.firewall
    private = firewall.mode == "private"
    sets = {
        "ssh": _families(firewall.ssh_from),
        "web": _families((firewall.web_from or settings.access.allowlist) if private else []),
    }
    if settings.metrics.scrapers:
        sets["metrics"] = _families(settings.metrics.scrapers)
    return render(
        "nftables/firewall.nft.j2",
        settings=settings,
        sets=sets,
        connections=connection_limit(settings),
        closed={"v4": CLOSED4, "v6": CLOSED6},
    )


def connection_limit(settings: Settings) -> int:
    """How many connections to the web server an address may have; 0 where that means nothing.

    Behind a CDN everybody comes from its few addresses.
    """
    if settings.firewall.mode == "cdn":
        return 0
    return max(MIN_CONNECTIONS, CONNECTIONS_A_STREAM * settings.edge.limits.streams)


def given_networks(settings: Settings) -> list[str]:
    """The CDN's networks out of files of the controller; empty without such files.

    Raises:
        RunStoppedError: a file cannot be read, or is no list of networks; pyinfra prints it.
    """
    found: list[Network] = []
    for source in settings.firewall.cdn.files:
        try:
            found += networks_in(Path(source).expanduser().read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            problem = UsageError(
                f"the list of the CDN's networks cannot be used: {reason}",
                where=source,
                hint="it should have one network a line",
            )
            raise RunStoppedError(problem) from None
    return [str(network) for network in found]


def lock_out(settings: Settings, ssh_connection: str) -> TinykitOpsError | None:
    """Why the rules would shut out the connection that this run comes over, if they would.

    Args:
        ssh_connection: the host's SSH_CONNECTION: client address and port, server address and
            port; of a bastion where there is one. Empty when the run is local to the host, and
            nobody logged in by SSH started it.
    """
    if not settings.firewall.enabled or not ssh_connection.strip():
        return None
    client, _, _, port = ssh_connection.split()[:4]
    address = ip_address(client.split("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not any(address in network for network in settings.firewall.ssh_from):
        return UsageError(
            f"firewall.ssh_from would shut out {address}, the address of this very connection",
            hint=f'add "{address}" to firewall.ssh_from; the firewall was not changed',
        )
    if int(port) != settings.firewall.ssh_port:
        return UsageError(
            f"firewall.ssh_port is {settings.firewall.ssh_port}, but SSH listens on {port} here",
            hint=f"set firewall.ssh_port = {port}; the firewall was not changed",
        )
    return None


def another_firewall(settings: Settings, facts: Mapping[str, str]) -> TinykitOpsError | None:
    """Why our table and somebody's firewall (`ops.firewall.FirewallFacts`) cannot both rule."""
    name = facts.get("other", "")
    if not settings.firewall.enabled or not name:
        return None
    return UnavailableError(
        f"{name} is active on this host: what either firewall closes is closed, "
        "and neither knows of the other",
        hint=f"`{_OFF[name]}` on the host, or firewall.enabled = False to keep {name}",
    )


def forgotten_ipv6(settings: Settings, facts: Mapping[str, str]) -> str:
    """What to say when the host has IPv6 and nobody may log in over it; else empty."""
    only4 = all(isinstance(network, IPv4Network) for network in settings.firewall.ssh_from)
    if not settings.firewall.enabled or not facts.get("ipv6") or not only4:
        return ""
    return (
        f"this host has IPv6 ({facts['ipv6']}), and firewall.ssh_from names no IPv6 network: "
        "nobody can log in over it"
    )


_OFF = {"ufw": "ufw disable", "firewalld": "systemctl disable --now firewalld"}


def _families(networks: Sequence[Network]) -> dict[str, Any]:
    return {
        "v4": [str(network) for network in networks if isinstance(network, IPv4Network)],
        "v6": [str(network) for network in networks if not isinstance(network, IPv4Network)],
    }
