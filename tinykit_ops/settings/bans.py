"""Who is shut out for guessing, and who never is."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from pydantic import Field

from tinykit_ops.settings.section import Section

LOOPBACK: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("127.0.0.0/8"),
    IPv6Network("::1/128"),
)


class BanSettings(Section):
    """Who is shut out for guessing passwords."""

    enabled: bool = Field(
        default=True,
        description="Whether fail2ban shuts out addresses that guess passwords, of SSH, accounts, "
        "superusers and `basic`. Addresses in `access.allowlist` are never shut out, nor those in "
        "`firewall.ssh_from` unless that is everywhere.",
        examples=[True],
    )
    attempts: int = Field(
        default=10,
        ge=3,
        le=1000,
        description="How many refused logins within ten minutes are too many.",
        examples=[10],
    )
    minutes: int = Field(
        default=60,
        ge=1,
        le=525_600,
        description="How long an address stays shut out.",
        examples=[60],
    )


def never_banned(
    allowlist: Iterable[IPv4Network | IPv6Network], ssh_from: Iterable[IPv4Network | IPv6Network]
) -> list[IPv4Network | IPv6Network]:
    """The networks that no ban may catch: this host itself, and whom the settings trust.

    Args:
        allowlist: `access.allowlist`.
        ssh_from: `firewall.ssh_from`; "everywhere" there trusts nobody in particular.
    """
    chosen = [network for network in ssh_from if network.prefixlen > 0]
    return list(dict.fromkeys([*LOOPBACK, *allowlist, *chosen]))
