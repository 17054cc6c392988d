"""Which addresses may open connections to the host."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import ListLike, Network, OneLine, Source, header_name

EVERYWHERE: list[IPv4Network | IPv6Network] = [
    IPv4Network("0.0.0.0/0"),
    IPv6Network("::/0"),
]
MAX_NETWORKS = 20_000

_CDN_EXAMPLE = 'example: "cdn": {"source": ["https://www.cloudflare.com/ips-v4"]}'


def is_everywhere(network: IPv4Network | IPv6Network) -> bool:
    """Whether a network is every address of its family."""
    return network.prefixlen == 0


def _one_or_more(value: object) -> object:
    """A lone source is a list of one."""
    return [value] if isinstance(value, str) else value


def _fetched_safely(value: str) -> str:
    if "://" in value and not value.startswith("https://"):
        raise ValueError("must be an https:// address, or the path of a file on the controller")
    return value


def _cdn_is_not_everywhere(cdn: CdnSettings) -> Iterator[Problem]:
    for number, network in enumerate(cdn.networks):
        if is_everywhere(network):
            reason = f"{network} is every address: whoever comes would be believed"
            yield Problem(f"networks[{number}]", reason, "name the networks of your CDN")


class CdnSettings(Section):
    """The content delivery network in front of the host."""

    rules = (_cdn_is_not_everywhere,)

    networks: Annotated[list[Network], ListLike] = Field(
        default=[],
        max_length=MAX_NETWORKS,
        description="Addresses and networks from which the CDN fetches, IPv4 and IPv6.",
        examples=[["203.0.113.0/24", "2001:db8::/48"]],
    )
    source: Annotated[
        list[Annotated[Source, AfterValidator(_fetched_safely)]],
        ListLike,
        BeforeValidator(_one_or_more),
    ] = Field(
        default=[],
        max_length=10,
        description="Where lists of its networks are: https:// addresses that the host reads "
        "every hour, and files on the controller. One network a line, or JSON. A list that is "
        "empty, broken, or half as long as before is not taken: the one before stays.",
        examples=[["https://www.cloudflare.com/ips-v4", "https://www.cloudflare.com/ips-v6"]],
    )
    client_header: Annotated[OneLine, AfterValidator(header_name)] = Field(
        default="X-Forwarded-For",
        description="The header in which the CDN says who the client is. It must set it itself, "
        "whatever a client sends.",
        examples=["CF-Connecting-IP"],
    )

    @property
    def addresses(self) -> list[str]:
        """The sources that the host fetches."""
        return [source for source in self.source if source.startswith("https://")]

    @property
    def files(self) -> list[str]:
        """The sources that are files on the controller."""
        return [source for source in self.source if not source.startswith("https://")]


def _modes_need_a_firewall(firewall: FirewallSettings) -> Iterator[Problem]:
    if firewall.mode != "public" and not firewall.enabled:
        reason = f'is "{firewall.mode}", and the firewall is not enabled: nobody would keep it'
        yield Problem("mode", reason, 'set "enabled": True, or leave the mode out')


def _web_from_is_privates(firewall: FirewallSettings) -> Iterator[Problem]:
    if firewall.mode != "private" and firewall.web_from is not None:
        reason = f'is only used with the mode "private", and the mode is "{firewall.mode}"'
        yield Problem("web_from", reason, 'set "mode": "private", or leave it out')
        return
    for number, network in enumerate(firewall.web_from or []):
        if is_everywhere(network):
            reason = f"{network} is every address, and nothing would be private"
            yield Problem(f"web_from[{number}]", reason, 'use "mode": "public" for that')


def _ssh_has_its_own_port(firewall: FirewallSettings) -> Iterator[Problem]:
    taken = {80: "the web server", 443: "the web server", 3000: "tinykit", 8091: "PocketBase"}
    if firewall.ssh_port in taken:
        reason = f"{firewall.ssh_port} is the port of {taken[firewall.ssh_port]}"
        yield Problem("ssh_port", reason, "let sshd listen on another one")


def _cdn_is_cdns(firewall: FirewallSettings) -> Iterator[Problem]:
    cdn = firewall.cdn
    if firewall.mode == "cdn" and not (cdn.networks or cdn.source):
        reason = 'is missing: the mode "cdn" needs the networks of the CDN'
        yield Problem("cdn", reason, _CDN_EXAMPLE)
    if firewall.mode != "cdn" and cdn != CdnSettings():
        reason = f'is only used with the mode "cdn", and the mode is "{firewall.mode}"'
        yield Problem("cdn", reason, 'set "mode": "cdn", or leave it out')


class FirewallSettings(Section):
    """Which addresses may open connections to the host."""

    rules = (
        _modes_need_a_firewall,
        _ssh_has_its_own_port,
        _web_from_is_privates,
        _cdn_is_cdns,
    )

    enabled: bool = Field(
        default=True, description="Whether to set up a firewall (nftables).", examples=[True]
    )
    mode: Literal["public", "private", "cdn"] = Field(
        default="public",
        description="Who may reach ports 80 and 443. `public`: everybody. `private`: only "
        "`web_from`. `cdn`: only the networks of a CDN, which says who the client is.",
        examples=["private"],
    )
    ssh_port: int = Field(
        default=22, ge=1, le=65535, description="The port that sshd listens on.", examples=[22]
    )
    ssh_from: Annotated[list[Network], ListLike] = Field(
        default=EVERYWHERE,
        min_length=1,
        max_length=MAX_NETWORKS,
        description="Addresses and networks that may reach SSH. A run that would shut itself out "
        "is refused.",
        examples=[["203.0.113.7", "2001:db8::/48"]],
    )
    web_from: Annotated[list[Network] | None, ListLike] = Field(
        default=None,
        min_length=1,
        max_length=MAX_NETWORKS,
        description='Addresses and networks that may reach ports 80 and 443 in the mode "private"; '
        "`access.allowlist` when left out.",
        examples=[["203.0.113.7", "2001:db8::/48"]],
    )
    cdn: CdnSettings = Field(
        default=CdnSettings(),
        description='The content delivery network in front of the host, for the mode "cdn".',
        examples=[{"source": ["https://www.cloudflare.com/ips-v4"]}],
    )
    confirm_seconds: int = Field(
        default=60,
        ge=10,
        le=900,
        description="New rules go back to the old ones unless a new SSH login confirms them "
        "within this many seconds. The run logs in anew by itself; a run on the host itself "
        "(`@local`) waits for you.",
        examples=[60],
    )
