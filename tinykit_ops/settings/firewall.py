"""Which addresses may open connections to the host."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field

from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import ListLike, Network

EVERYWHERE: list[IPv4Network | IPv6Network] = [
    IPv4Network("0.0.0.0/0"),
    IPv6Network("::/0"),
]


class FirewallSettings(Section):
    """Which addresses may open connections to the host."""

    enabled: bool = Field(
        default=True, description="Whether to set up a firewall (nftables).", examples=[True]
    )
    ssh_port: int = Field(
        default=22, ge=1, le=65535, description="The port that sshd listens on.", examples=[22]
    )
    ssh_from: Annotated[list[Network], ListLike] = Field(
        default=EVERYWHERE,
        min_length=1,
        description="Addresses and networks that may reach SSH. A run that would shut itself out "
        "is refused.",
        examples=[["203.0.113.7", "2001:db8::/48"]],
    )
    web_from: Annotated[list[Network], ListLike] = Field(
        default=EVERYWHERE,
        min_length=1,
        description="Addresses and networks that may reach ports 80 and 443.",
        examples=[["0.0.0.0/0", "::/0"]],
    )
