"""Deciding what a lab consists of, before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

from tinykit_ops.errors import UsageError
from tinykit_ops.lab.addresses import LabNetworks
from tinykit_ops.lab.names import MAX_HOSTS
from tinykit_ops.lab.releases import DEFAULT_RELEASE, codename
from tinykit_ops.lab.state import HostState, LabState

MIN_DISK_MIB = 256


def new_lab(name: str, networks: LabNetworks, *, s3: bool, acme_life: int = 0) -> LabState:
    """A lab without hosts."""
    return LabState(
        name=name,
        network4=str(networks.hosts4),
        network6=str(networks.hosts6),
        outside4=str(networks.outside4),
        outside6=str(networks.outside6),
        s3=s3,
        acme_life=acme_life,
    )


def networks_of(state: LabState) -> LabNetworks:
    """The networks that a lab's notes name."""
    return LabNetworks(
        hosts4=IPv4Network(state.network4),
        hosts6=IPv6Network(state.network6),
        outside4=IPv4Network(state.outside4),
        outside6=IPv6Network(state.outside6),
    )


def wanted_releases(releases: Sequence[str], count: int) -> list[str]:
    """Code names, one a host: `count` of each release. Raises: UsageError."""
    if count < 1:
        raise UsageError("A lab needs at least one host.", hint="--count 1")
    names = [codename(release) for release in releases or [DEFAULT_RELEASE]]
    if len(names) * count > MAX_HOSTS:
        raise UsageError(f"A lab has {MAX_HOSTS} hosts at most.", hint="Give a smaller --count.")
    return [name for name in names for _ in range(count)]


def check_disk(size: str | None) -> None:
    """Raises: UsageError for a size that no disk has, or that a Debian does not fit on."""
    if size is None:
        return
    match = re.fullmatch(r"(\d{1,6})([MG])", size)
    if not match or int(match[1]) * (1024 if match[2] == "G" else 1) < MIN_DISK_MIB:
        raise UsageError(
            f"{size!r} is no size for a disk.",
            hint=f"Use M or G, and at least {MIN_DISK_MIB}M, for example: --disk 2G",
        )


def missing_releases(state: LabState, wanted: Sequence[str]) -> list[str]:
    """Which of the wanted hosts the lab has not yet; those it has more of, it keeps."""
    present = [host.release for host in state.hosts]
    missing = []
    for release in wanted:
        if release in present:
            present.remove(release)
        else:
            missing.append(release)
    return missing


def add_hosts(
    state: LabState,
    releases: Sequence[str],
    tree_of: Callable[[str], str],
    disk: str | None,
    docker: bool = False,
) -> LabState:
    """The lab with one more host for each of `releases`, named tk-1, tk-2, … .

    Args:
        tree_of: code name → name of its base tree.
        disk: size of a disk of its own ("2G"), or None.
        docker: whether Docker can run on them.
    """
    networks = networks_of(state)
    hosts = list(state.hosts)
    for release in releases:
        number = max((host.number for host in hosts), default=0) + 1
        if number > MAX_HOSTS:
            raise UsageError(f"A lab has {MAX_HOSTS} hosts at most.", hint="Start another one.")
        host = HostState(
            name=f"tk-{number}",
            number=number,
            release=release,
            tree=tree_of(release),
            address4=str(networks.host4(number)),
            address6=str(networks.host6(number)),
            disk=disk,
            docker=docker,
        )
        hosts.append(host)
    return replace(state, hosts=hosts)
