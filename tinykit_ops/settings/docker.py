"""Docker, where `runtime = "docker"`: what containers stand on, and their network."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import ImageName, ListLike, Network, Source

#: A namespace holder, a gateway, the network's own two addresses, and some air.
_SMALLEST = 29


def make_base(archive: object) -> str:
    """The command that makes a base image's archive."""
    return f"mmdebstrap --variant=essential --include=libstdc++6 trixie {archive}"


def _subnet_is_private(docker: DockerSettings) -> Iterator[Problem]:
    subnet = docker.subnet
    example = 'example: "subnet": "172.31.83.0/28"'
    if not isinstance(subnet, IPv4Network):
        yield Problem("subnet", "is no IPv4 network: the containers speak IPv4", example)
    elif not subnet.is_private or subnet.is_loopback or subnet.is_link_local:
        yield Problem("subnet", f"{subnet} is no private network", example)
    elif subnet.prefixlen > _SMALLEST:
        yield Problem("subnet", f"{subnet} is too small: /{_SMALLEST} at least", example)


def _resolvers_can_be_reached(docker: DockerSettings) -> Iterator[Problem]:
    for number, resolver in enumerate(docker.resolvers):
        key, address = f"resolvers[{number}]", resolver.network_address
        if resolver.num_addresses != 1 or not isinstance(resolver, IPv4Network):
            reason = f"{resolver} is no IPv4 address: the containers speak IPv4"
            yield Problem(key, reason, 'example: "resolvers": ["192.0.2.53"]')
        elif ip_address(address).is_loopback:
            reason = f"{address} is the host's loopback, which a container cannot reach"
            yield Problem(key, reason, "name the resolver by an address of the network")


def unreachable_from_containers(key: str, address: str) -> Iterator[Problem]:
    """What is wrong with a web address of the host's own loopback."""
    host = urlsplit(address).hostname or ""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    if loopback:
        reason = f"{host} is the host's loopback, which a container cannot reach"
        yield Problem(key, reason, 'use an address of the network, or the runtime "systemd"')


class DockerSettings(Section):
    """What the containers stand on; only used with `runtime = "docker"`."""

    rules = (_subnet_is_private, _resolvers_can_be_reached)

    base_image: ImageName = Field(
        default="debian:trixie-slim",
        description="The image that ours are built on: a name that Docker on the host has or can "
        "pull. It needs bash and libstdc++6, which Debian's have; what is missing ends the build "
        "with a clear word. Not used with `base_archive`.",
        examples=["registry.example.com/debian:13"],
    )
    base_archive: Source | None = Field(
        default=None,
        description="The same as a root file system in a tar archive on the controller, for hosts "
        f"without a registry: `{make_base('base.tar')}` makes one.",
        examples=["dist/base-trixie.tar"],
    )
    subnet: Network = Field(
        default=IPv4Network("172.31.83.0/28"),
        description="The private network of the containers. Nothing of the host's surroundings "
        "may have it.",
        examples=["172.31.83.0/28"],
    )
    resolvers: Annotated[list[Network], ListLike] = Field(
        default=[],
        max_length=3,
        description="IPv4 addresses of the name servers that the containers ask; those of the "
        "host when left out.",
        examples=[["192.0.2.53"]],
    )

    @property
    def gateway(self) -> IPv4Address:
        """The host's address in that network: Docker takes the first."""
        return IPv4Address(int(self.subnet.network_address) + 1)
