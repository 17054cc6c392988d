"""Whether an instance can move from one host of an inventory to another: everything that is known
before a byte is moved."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.fleet.ask import Answer, ask_hosts
from tinykit_ops.host.versions import numbers
from tinykit_ops.migrate.here import State
from tinykit_ops.settings.model import Settings

#: What both hosts must have alike, besides the target: it is one instance.
ALIKE = ("domains", "builder_domain", "admin_email", "superuser_email")
#: What tells where a target keeps its snapshots.
PLACE = ("kind", "endpoint", "bucket", "prefix", "path", "region")
NO_AGENT = 127  #: of a shell: there is no such command
OLD_AGENT = 64  #: the agent knows no such command

Ask = Callable[..., list[Answer]]


@dataclass(frozen=True)
class Move:
    """A move that can be begun, or gone on with.

    Attributes:
        old, new: names in the inventory.
        target: the backup target that both reach.
        old_state, new_state: how the two stand; of a bare host, nothing.
        is_bare: whether the new one has no agent yet.
    """

    inventory: Path
    old: str
    new: str
    target: str
    old_state: State
    new_state: State
    is_bare: bool

    @property
    def is_done(self) -> bool:
        """Whether the instance has arrived, and the old host knows."""
        return self.window_is_open and self.new_state.arrived and self._is_ours

    @property
    def window_is_open(self) -> bool:
        """Whether the old host refuses writes already, because of an interrupted run."""
        return self.old_state.moved_to == self.new

    @property
    def _is_ours(self) -> bool:
        return self.new_state.comes_from == self.old


def look(
    inventory: Path,
    old: str,
    new: str,
    target: str | None,
    identity: Path | None,
    ask: Ask = ask_hosts,
) -> Move:
    """Look at the settings and at both hosts.

    Raises:
        UsageError: it cannot be done so, and why.
        UnavailableError: a host cannot be asked.
    """
    if old == new:
        raise UsageError(
            f"an instance cannot move from {old} to itself",
            where=str(inventory),
            hint="name the other host, with the same settings in the inventory",
        )
    settings = {each.host: each.settings for each in ask(inventory, [], limit=[old, new])}
    chosen = _see_that_they_are_one_instance(settings[old], settings[new], new, target)
    _see_the_key(settings[old], chosen, identity)
    answers = {a.host: a for a in ask(inventory, ["host", "move", "show"], limit=[old, new])}
    is_bare = answers[new].code == NO_AGENT
    move = Move(
        inventory,
        old,
        new,
        chosen,
        _state(answers[old]),
        State() if is_bare else _state(answers[new]),
        is_bare,
    )
    _see_that_it_may_move(move)
    return move


def _see_that_they_are_one_instance(
    old: Settings, new: Settings, name: str, target: str | None
) -> str:
    """Returns the target's name."""
    for key in ALIKE:
        if getattr(old, key) != getattr(new, key):
            raise UsageError(
                f"the two hosts have not the same {key}",
                where=f"{name}: {key}",
                hint="give the new host the same settings: it will be the same instance",
            )
    if numbers(new.pocketbase.version) < numbers(old.pocketbase.version):
        raise UsageError(
            f"PocketBase {new.pocketbase.version} is older than {old.pocketbase.version}, which "
            "wrote the data",
            where=f"{name}: pocketbase.version",
            hint="give the new host the same version, or a newer one",
        )
    there = {each.name: each for each in new.backup.targets}
    both = [
        each.name
        for each in old.backup.targets
        if each.kind in ("s3", "directory")
        and each.name in there
        and _place(each) == _place(there[each.name])
    ]
    if target is not None and target not in both:
        both = []
    if not both:
        raise UsageError(
            "there is no backup target that both hosts reach",
            where=f"{name}: backup.targets",
            hint="the data moves through one: give both the same target of the kind s3 (the same "
            "bucket and prefix), or a directory that both have mounted",
        )
    return both[0]


def _place(target: Any) -> dict[str, Any]:
    return {key: getattr(target, key, None) for key in PLACE}


def _see_the_key(settings: Settings, target: str, identity: Path | None) -> None:
    found: Any = next(each for each in settings.backup.targets if each.name == target)
    if found.encryption != "none" and identity is None:
        raise UsageError(
            f"what lies in {target} is sealed, and the new host has to open it",
            hint="--identity FILE, the private age key; it goes to the new host's memory only",
        )


def _state(answer: Answer) -> State:
    if answer.problem:
        raise UnavailableError(answer.problem, hint="is it on, and does SSH to it work?")
    if answer.code in (NO_AGENT, OLD_AGENT):
        raise UsageError(
            f"the agent of {answer.host} knows nothing of moving",
            where=answer.host,
            hint="deploy that host first: `pyinfra INVENTORY deploys/full.py --limit HOST`",
        )
    try:
        told = json.loads(answer.out or "")
        return State(**{**told, "agents": tuple(told["agents"])})
    except (ValueError, TypeError, KeyError):
        raise UnavailableError(answer.complaint, where=answer.host) from None


def _see_that_it_may_move(move: Move) -> None:
    old, new = move.old_state, move.new_state
    if old.moved_to not in ("", move.new):
        raise UsageError(
            f"the instance of {move.old} moves, or has moved, to {old.moved_to}",
            hint=f"`tinykit-ops migrate {move.old} {old.moved_to}` finishes that",
        )
    if old.projects is None:
        raise UnavailableError(
            f"PocketBase on {move.old} does not answer, so there is nothing to move",
            hint="`tinykit-ops status` tells more; a dead host comes back from its backups "
            "(docs/backup.md)",
        )
    if new.projects and not _may_be_replaced(move):
        raise UsageError(
            f"{move.new} is not empty: it has an instance with {new.projects} projects",
            hint="take a fresh host; a migration replaces what is there",
        )


def _may_be_replaced(move: Move) -> bool:
    """What is on the new host came from the old one, or went there."""
    new = move.new_state
    return move.old in (new.comes_from, new.moved_to) and (not new.arrived or move.window_is_open)


def told(move: Move) -> Sequence[str]:
    """What would happen, for a person."""
    lines = [f"{move.old} moves to {move.new}, through the backup target {move.target}:"]
    if move.window_is_open:
        lines.append(f"  an interrupted move goes on: {move.old} refuses writes already")
    else:
        bare = "a bare host" if move.is_bare else "it has an agent, and nobody's projects"
        lines += [
            f"  {move.new} is provisioned ({bare})",
            f"  rehearsal: a snapshot of {move.old} is restored there, and looked at",
            f"  {move.old} refuses writes (503), and is read from as before",
        ]
    lines += [
        f"  a last snapshot is restored on {move.new}; then writes are welcome there",
        f"{move.old} keeps its data, and stays readable until you switch it off.",
    ]
    if move.old_state.agents:
        lines.append(f"AI agents are at work in: {', '.join(move.old_state.agents)}. Let them end.")
    return lines
