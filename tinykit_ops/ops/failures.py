"""What a run over several hosts says at its very end when some of them failed.

pyinfra's own table counts hosts an operation, leaves out those that it could not reach, and counts
everything that a failed host did not come to as an error. This says who failed, where, why, and
what to do, below everything else.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State

from tinykit_ops.ops.lost_hosts import BROKEN, is_lost
from tinykit_ops.settings.pyinfra_words import WORDS

LINES = 8  #: of why, for each host
UNREACHED = "it could not be reached"
_REACH_HINT = "is it on, and does `ssh` to it work?"
#: (what is said, what to do about it), for what is not said by ourselves.
_HINTS = (
    ("no space left on device", "free some space on it: `df -h` tells where"),
    (BROKEN, "is it on? What it had begun is finished by the next run"),
    ("temporary failure resolving", "its package mirror did not answer: run again later"),
    ("unable to fetch", "its package mirror did not answer: run again later"),
    ("failed to fetch", "its package mirror did not answer: run again later"),
)


@dataclass(frozen=True)
class Failure:
    """One host that failed.

    Attributes:
        where: the operation.
        why: lines that it, or pyinfra, said.
    """

    host: str
    where: str
    why: Sequence[str]

    @property
    def lines(self) -> list[str]:
        """For people; the first is the name and the place."""
        said = [line for line in self.why if line.strip()][:LINES]
        first, *rest = said or ["it did not say why"]
        first = first.removeprefix("error: ")
        hint = "" if any("hint:" in line for line in said) else self._hint(" ".join(said))
        return [
            f"  {self.host}: {self.where}",
            *(f"      {line.rstrip()}" for line in [first, *rest]),
            *([f"      hint:  {hint}"] if hint else []),
        ]

    def _hint(self, said: str) -> str:
        if self.where == UNREACHED:
            return _REACH_HINT
        return next((hint for words, hint in _HINTS if words in said.lower()), "")


class Failures(BaseStateCallback):
    """Listens to a run, and has the last word when hosts of it failed."""

    def __init__(self, state: State) -> None:
        self._state = state
        atexit.register(self.tell)

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, *_: int
    ) -> None:
        """With `--no-wait`, pyinfra forgets that a host failed, and would exit with 0."""
        if not state.ops[host][op_hash].global_arguments["_ignore_errors"]:
            state.failed_hosts.add(host)

    def tell(self) -> None:
        """To standard error, if there is anything to tell that is not plain already."""
        text = summary(self._state)
        if text:
            click.echo(f"\n{text}", err=True)


def summary(state: State) -> str:
    """Who failed and why; empty when nobody did, or there is one host, whose error stands above.

    Of one that was lost on the way, pyinfra's own words do not say what to do.
    """
    hosts = [host for host in state.inventory if state.is_host_in_limit(host)]
    failed = [host for host in hosts if host in state.failed_hosts]
    if len(hosts) == 1 and failed and is_lost(failed[0]):
        return "\n".join(failure_of(state, failed[0]).lines)
    if not failed or len(hosts) < 2:
        return ""
    lines = [f"{len(failed)} of {len(hosts)} hosts failed:"]
    for host in failed:
        lines += failure_of(state, host).lines
    done = sum(_is_done(state, host) for host in hosts if host not in state.failed_hosts)
    limits = " ".join(f"--limit {host.name}" for host in failed)
    if state.is_executing:
        are = "1 host is" if done == 1 else f"{done} hosts are"
        lines.append(f"{are} done: a next run changes nothing there.")
    lines.append(f"When it is mended, run the same again; only these: {limits}")
    return "\n".join(lines)


def failure_of(state: State, host: Host) -> Failure:
    """Why a host failed."""
    if host not in state.activated_hosts:
        return Failure(host.name, UNREACHED, WORDS.of[host.name] or ["pyinfra said why above"])
    for op_hash in host.op_hash_order:
        meta = state.ops[host][op_hash].operation_meta
        if meta.is_complete() and not meta.did_succeed():
            where = f"failed at {', '.join(sorted(state.get_op_meta(op_hash).names))!r}"
            return Failure(host.name, where, _why(host, meta.stderr_lines))
    return Failure(host.name, "failed before its first operation", _why(host, []))


def _why(host: Host, said: Sequence[str]) -> Sequence[str]:
    """From our own error on, where there is one; else the last lines of what it said."""
    lines = [line for line in said if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            return lines[number:]
    if is_lost(host):
        return [BROKEN]
    return lines[-LINES:] or _without_pyinfra(WORDS.of[host.name])


def _without_pyinfra(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.startswith("Error: executed ")][-LINES:]


def _is_done(state: State, host: Host) -> bool:
    return all(op.operation_meta.is_complete() for op in state.ops[host].values())
