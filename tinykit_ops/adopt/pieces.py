"""What has to be stopped: units, containers, or trees of processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinykit_ops.adopt.facts import Facts, Process
from tinykit_ops.adopt.model import Piece, Role

#: What starts programs for people; a tree of processes ends below it.
STARTERS = {
    *("systemd", "init", "sshd", "sshd-session", "sshd-auth", "login", "su", "sudo", "cron"),
    *("bash", "zsh", "fish", "tmux: server", "screen", "containerd-shim", "runuser"),
}
_PASSING = "/run/systemd/transient"
_SUPERVISORS = ("PM2", "pm2", "supervisord", "forever", "runsv")


@dataclass(frozen=True)
class Pieces:
    """What runs the install.

    Attributes:
        roots: the first process of each tree that no unit and no container runs.
    """

    layout: Literal["systemd", "docker", "bare", "mixed"]
    pieces: tuple[Piece, ...]
    roots: tuple[int, ...]


def pieces(facts: Facts, server: Process | None, database: Process | None) -> Pieces:
    """tinykit's first: it stops before PocketBase does."""
    roles: dict[tuple[str, str], list[Role]] = {}
    made: dict[tuple[str, str], Piece] = {}
    programs: list[tuple[Process | None, Role]] = [(server, "tinykit"), (database, "pocketbase")]
    for process, role in programs:
        if process is not None:
            piece = _piece(facts, process)
            key = (piece.kind, piece.name)
            made.setdefault(key, piece)
            roles.setdefault(key, []).append(role)
    found = [made[key].model_copy(update={"roles": tuple(roles[key])}) for key in made]
    kinds = {piece.kind for piece in found}
    names: dict[str, Literal["systemd", "docker", "bare"]] = {
        "unit": "systemd",
        "container": "docker",
        "process": "bare",
    }
    roots = tuple(int(piece.name) for piece in found if piece.kind == "process")
    layout = names[kinds.pop()] if len(kinds) == 1 else "mixed"
    return Pieces(layout, tuple(found), roots)


def _piece(facts: Facts, process: Process) -> Piece:
    if process.container:
        container = facts.containers().get(process.container, {})
        name = str(container.get("name", process.container)).lstrip("/")
        return Piece(kind="container", name=name, roles=(), seen=str(container.get("image", "")))
    if process.unit:
        unit = facts.unit(process.unit)
        if not unit.get("FragmentPath", "").startswith(_PASSING):
            return Piece(
                kind="unit", name=process.unit, roles=(), seen=unit.get("FragmentPath", "")
            )
        pid = int(unit.get("MainPID") or process.pid)
        seen = facts.processes.get(pid, process)
        return Piece(kind="process", name=str(pid), roles=(), unit=process.unit, seen=seen.program)
    root = root_of(facts, process.pid)
    return Piece(kind="process", name=str(root), roles=(), seen=called(facts, root))


def root_of(facts: Facts, pid: int) -> int:
    """The first process of a tree, below the shell or login that somebody started it from."""
    while True:
        found = facts.parent_of(pid)
        above = facts.parent_of(found[0]) if found else None
        if found is None or found[0] <= 1 or above is None or above[1] in STARTERS:
            return pid
        if above[1].startswith(_SUPERVISORS):
            return pid
        pid = found[0]


def called(facts: Facts, pid: int) -> str:
    """What a process is called."""
    if pid in facts.processes:
        return facts.processes[pid].program
    found = facts.parent_of(pid)
    return found[1] if found else str(pid)


def blockers(facts: Facts, roots: tuple[int, ...]) -> list[str]:
    """Programs that would start the old install anew, whatever stops it."""
    found = []
    for root in roots:
        parent = facts.parent_of(root)
        above = facts.parent_of(parent[0]) if parent else None
        if above and above[1].startswith(_SUPERVISORS):
            found.append(
                f"{above[1]} keeps it running, and would start it anew: let systemd run it, "
                "or start it by hand (nohup), then look again"
            )
    return list(dict.fromkeys(found))
