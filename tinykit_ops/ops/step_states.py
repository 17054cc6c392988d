"""Which steps of the agent have nothing to do, asked for all of a run at once.

Each question is a start of Python on the host, which costs more than the answer. So the first step
of a run asks for all that are planned. What it is told is good for as long as this run changes
nothing on that host: after a change, each step is asked by itself again.

A run that brings the agent to a host that never had one knows most answers without a question.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pyinfra.api.facts import FactBase

from tinykit_ops import layout

DONE = "done"
#: What a step has to do on a host that never had an agent. `ask` is for what may be there without.
OnBareHost = Literal["work", "nothing", "ask"]


class StepState(FactBase[str]):
    """`done` when the agent says that the step has nothing to do, else another word."""

    def command(self, step: Sequence[str]) -> str:
        """The shell line that asks the agent; a host without an agent has everything to do."""
        words = shlex.join([layout.AGENT_COMMAND, "host", *step, "--check"])
        return f"if {words} >/dev/null 2>&1; then echo {DONE}; else echo pending; fi"


class StepStates(FactBase[list[bool]]):
    """For each step whether it has nothing to do; an empty list from an agent that cannot tell."""

    default = list

    def command(self, steps: Sequence[Sequence[str]]) -> str:
        """The shell line that asks the agent for all."""
        words = shlex.join([layout.AGENT_COMMAND, "host", "pending", json.dumps(steps)])
        return f"{words} 2>/dev/null || echo '[]'"

    def process(self, output: list[str]) -> list[bool]:
        """The last line, which is JSON."""
        try:
            found = json.loads(output[-1])
        except (ValueError, IndexError):
            return []
        return [one is True for one in found] if isinstance(found, list) else []


@dataclass
class _Run:
    """What this run knows of one host.

    Attributes:
        planned: the steps that it will come to.
        changes: how many operations had changed the host when it was asked.
        done: step → whether it had nothing to do.
        is_bare: this run has brought the host its first agent.
    """

    planned: list[list[str]] = field(default_factory=list)
    changes: int = -1
    done: dict[tuple[str, ...], bool] = field(default_factory=dict)
    is_bare: bool = False


#: host name → what is known; a process is one run of pyinfra.
_RUNS: dict[str, _Run] = {}


def plan_step(host: Any, step: Sequence[str]) -> None:
    """This run will come to that step on this host."""
    planned = _RUNS.setdefault(host.name, _Run()).planned
    if list(step) not in planned:
        planned.append(list(step))


def first_agent(host: Any) -> None:
    """This run brings this host its first agent; nothing of ours was there."""
    _RUNS.setdefault(host.name, _Run()).is_bare = True


def is_done(host: Any, step: Sequence[str], on_bare_host: OnBareHost = "ask") -> bool:
    """Whether a step has nothing to do, at this moment of the run."""
    run = _RUNS.get(getattr(host, "name", ""))
    if run is not None and run.is_bare:
        return _ask(host, step) if on_bare_host == "ask" else on_bare_host == "nothing"
    if run is None or not host.state.is_executing or len(run.planned) < 2:
        return _ask(host, step)
    changes = _changes(host)
    if not run.done:
        run.changes = changes
        told = host.get_fact(StepStates, steps=run.planned)
        run.done = dict(zip(map(tuple, run.planned), told, strict=False)) or {(): False}
    known = run.done.get(tuple(step)) if run.changes == changes else None
    return _ask(host, step) if known is None else known


def _ask(host: Any, step: Sequence[str]) -> bool:
    return bool(host.get_fact(StepState, step=list(step)) == DONE)


def _changes(host: Any) -> int:
    metas = [op.operation_meta for op in host.state.ops[_real(host)].values()]
    return sum(meta.did_change() for meta in metas if meta.is_complete())


def _real(host: Any) -> Any:
    """The host itself: `pyinfra.context.host` is a stand-in that is equal to none."""
    return next(each for each in host.state.ops if each.name == host.name)
