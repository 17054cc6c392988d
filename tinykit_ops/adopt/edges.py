"""What stands before tinykit on a host: the reverse proxy, its names, and other programs' ports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tinykit_ops.adopt.facts import Facts, Process
from tinykit_ops.adopt.model import Piece
from tinykit_ops.adopt.proxies import sites

PROXIES = ("caddy", "nginx", "apache2", "haproxy", "traefik")
_WEB = {"80", "443"}
_LOOPBACK = ("127.", "[::1]", "[::ffff:127.")


@dataclass
class Edge:
    """The proxy, and what would end with it.

    Attributes:
        kind: `caddy`, `nginx`, another program's name, or empty.
    """

    kind: str = ""
    pieces: list[Piece] = field(default_factory=list)
    domains: tuple[str, ...] = ()
    ssh_port: int = 22
    questions: list[str] = field(default_factory=list)
    blockers: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def edge_of(facts: Facts, server: Process | None) -> Edge:
    """What stands before tinykit's server."""
    edge = Edge(ssh_port=_ssh_port(facts))
    for process in facts.processes.values():
        if process.program in PROXIES and _ports(process.listens) & _WEB and not process.container:
            _program(facts, edge, process)
    for container in facts.containers().values():
        if published(container) & _WEB and not _is_in(facts, server, container):
            _container(edge, container)
    if edge.kind in {"caddy", "nginx"}:
        _read_names(facts, edge, server)
    elif edge.kind:
        edge.questions.append(f"{edge.kind}'s configuration is not read: --domain NAME")
    _others(facts, edge, server)
    return edge


def ports_of(facts: Facts, server: Process | None) -> set[str]:
    """The host's ports at which tinykit is reached."""
    if server is None:
        return set()
    if not server.container:
        return _ports(server.listens)
    container = facts.containers().get(server.container, {})
    inside = server.plain.get("PORT", "3000")
    bound = (container.get("ports") or {}).get(f"{inside}/tcp") or []
    return {str(one["HostPort"]) for one in bound}


def published(container: dict[str, Any]) -> set[str]:
    """The host's ports of a container."""
    bindings = (container.get("ports") or {}).values()
    return {str(one["HostPort"]) for bound in bindings for one in bound or []}


def _program(facts: Facts, edge: Edge, process: Process) -> None:
    edge.kind = process.program
    if not process.unit:
        if process.parent <= 1 or not _is_looked_at(facts, process.parent):
            edge.blockers.append(
                f"{process.program} (process {process.pid}) is no unit of systemd: stop it, or "
                "let systemd run it"
            )
        return
    piece = Piece(kind="unit", name=process.unit, roles=("edge",), seen=process.program)
    if piece not in edge.pieces:
        edge.pieces.append(piece)


def _is_looked_at(facts: Facts, pid: int) -> bool:
    return pid in facts.processes and facts.processes[pid].program in PROXIES


def _container(edge: Edge, container: dict[str, Any]) -> None:
    name = str(container["name"]).lstrip("/")
    edge.kind = edge.kind or f"container {name}"
    edge.pieces.append(Piece(kind="container", name=name, roles=("edge",), seen=container["image"]))
    edge.losses.append(f"container {name} ({container['image']}) on port 80 or 443 stops")


def _read_names(facts: Facts, edge: Edge, server: Process | None) -> None:
    found = sites(edge.kind, facts.text("proxy", edge.kind), ports_of(facts, server))
    names = dict.fromkeys(name for site in found if site.tinykit for name in site.names)
    edge.domains = tuple(names)
    for site in found:
        if not site.tinykit:
            edge.losses.append(
                f"{edge.kind} stops, which also serves {', '.join(site.names)}: not tinykit"
            )
    if edge.domains:
        edge.notes.append(f"the domains are those that {edge.kind} passes to tinykit")


def _others(facts: Facts, edge: Edge, server: Process | None) -> None:
    """Who else is reached from elsewhere now, and would be behind the firewall."""
    known = {str(edge.ssh_port), *_WEB, *ports_of(facts, server)}
    for address, program in _listeners(facts):
        port = address.rpartition(":")[2]
        if address.startswith(_LOOPBACK) or port in known or program == "pocketbase":
            continue
        known.add(port)
        edge.losses.append(f"port {port} ({program or '?'}) is closed to the world by the firewall")


def _listeners(facts: Facts) -> Iterator[tuple[str, str]]:
    for line in facts.lines("system", "sockets"):
        columns = line.split()
        if len(columns) >= 4:
            program = re.search(r'"([^"]+)"', line)
            yield columns[3], program[1] if program else ""


def _ssh_port(facts: Facts) -> int:
    """sshd's port; the one of this very login, or the one that it listens on."""
    login = facts.text("system", "ssh").split()
    if len(login) == 4:
        return int(login[3])
    for address, program in _listeners(facts):
        if program == "sshd":
            return int(address.rpartition(":")[2])
    return 22


def _ports(addresses: tuple[str, ...]) -> set[str]:
    return {address.rpartition(":")[2] for address in addresses}


def _is_in(facts: Facts, server: Process | None, container: dict[str, Any]) -> bool:
    """Whether tinykit's server runs in this container."""
    return bool(server and facts.containers().get(server.container) == container)
