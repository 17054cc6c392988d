"""Render the firewall, and refuse one that would shut out whoever applies it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, ip_address
from typing import Any

from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.settings import Settings
from tinykit_ops.settings.model import Network


def ruleset(settings: Settings) -> str:
    """The nftables file of an instance."""
    sets = {
        "ssh": _families(settings.firewall.ssh_from),
        "web": _families(settings.firewall.web_from),
    }
    return render("nftables/firewall.nft.j2", settings=settings, sets=sets)


def lock_out(settings: Settings, ssh_connection: str) -> TinykitOpsError | None:
    """Why the rules would shut out the connection that this run comes over, if they would.

    Args:
        ssh_connection: the host's SSH_CONNECTION: client address and port, server address and
            port; empty when the run is local to the host.
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


def _families(networks: Sequence[Network]) -> dict[str, Any]:
    return {
        "v4": [str(network) for network in networks if isinstance(network, IPv4Network)],
        "v6": [str(network) for network in networks if not isinstance(network, IPv4Network)],
    }
