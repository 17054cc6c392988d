"""`hold_host`: one controller at a time changes a host, over a whole run of pyinfra.

A small program on the host holds a lock of the kernel's and reads lines from this controller. It
ends when the lines end: with the run, with a killed controller, or with the network. So no lock is
left behind, and how every run ended is written down on the host, also when nobody is left to say.

pyinfra writes a command's standard input line by line before it reads any output. The lines here
come one by one as long as the run lasts, so the command lasts as long.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.event import AsyncResult  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_host, host

from tinykit_ops.deploy import holder
from tinykit_ops.errors import BusyError
from tinykit_ops.ops.connector import connector_arguments
from tinykit_ops.ops.failures import Failures
from tinykit_ops.ops.lost_hosts import notice_when_lost
from tinykit_ops.ops.refuse import refusal
from tinykit_ops.ops.unanswered import Unanswered, notice_unanswered
from tinykit_ops.settings.pyinfra_stop import say_when_stopped

END_SECONDS = 10  #: how long the host may take to write down how a run ended


def hold_host() -> None:
    """Keep other controllers away from this host for the rest of the run; once a run.

    Every deploy says it before its first operation that could change something.
    """
    keeper = _keeper_of(host.state)
    if host.name not in keeper.planned:
        keeper.planned.add(host.name)
        notice_when_lost(ctx_host.get())  # type: ignore[no-untyped-call]
        notice_unanswered(ctx_host.get())  # type: ignore[no-untyped-call]
        hold(name="Keep other controllers away from this host while this run lasts")


@operation()
def hold() -> Generator[StringCommand]:
    """Take the lock, or fail with who holds it. Never counts as a change."""
    if not host.state.is_executing:
        host.noop("a dry run keeps nobody away")
        return
    # Not `host` itself: that name means something in this greenlet only.
    problem = _keeper_of(host.state).take(ctx_host.get())  # type: ignore[no-untyped-call]
    if problem:
        yield refusal(problem)
    else:
        host.noop("no other controller is at it")


class _Lines(list[str]):
    """The lines for one holder: a sign of life again and again, then the end."""

    def __init__(self) -> None:
        super().__init__([""])  # pyinfra asks whether there is any input
        self.end: Any = AsyncResult()

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                yield self.end.get(timeout=holder.BEAT_SECONDS)
                return
            except gevent.Timeout:
                yield "beat"


class _Held:
    """One host that this run holds."""

    def __init__(self, host: Host, arguments: dict[str, Any]) -> None:
        self.run = secrets.token_hex(8)
        self.lines = _Lines()
        patience = holder.PATIENCE_SECONDS if isinstance(host.connector, SSHConnector) else 0
        line = holder.hold_command(self.run, holder.about(), patience)
        command = partial(_quietly, host, line, {**arguments, "_stdin": self.lines})
        self.greenlet = gevent.spawn(command)

    @property
    def is_lost(self) -> bool:
        """Whether the holder has gone without having been told to."""
        return bool(self.greenlet.dead) and not self.lines.end.ready()

    @property
    def said(self) -> str:
        """What the holder printed, when it has gone."""
        return str(self.greenlet.value or "")


class Keeper(BaseStateCallback):
    """Holds the hosts of one run; pyinfra tells it how operations go."""

    def __init__(self) -> None:
        self.planned: set[str] = set()
        self._held: dict[str, _Held] = {}

    def take(self, host: Host, op_hash: str | None = None) -> BusyError | None:
        """Hold a host. Returns why that cannot be."""
        arguments = connector_arguments(host, op_hash)
        held = _Held(host, arguments)
        answer = _quietly(host, holder.answer_command(held.run), arguments)
        problem = holder.problem_in(answer, host.name)
        if problem:
            held.lines.end.set("end")
            return problem
        self._held[host.name] = held
        # pyinfra's own callback for the end comes when the connection is closed already.
        disconnect = host.disconnect
        host.disconnect = lambda: (self._finish(host), disconnect())[1]  # type: ignore[method-assign,func-returns-value]
        return None

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        """A host whose lock was lost (its network was away for long) is taken again, or fails."""
        held = self._held.get(host.name)
        if held is None or not held.is_lost or op_hash not in state.ops[host]:
            return
        stopped = holder.STOPPED in held.said
        problem = holder.taken_away(host.name) if stopped else self.take(host, op_hash)
        if problem:
            state.ops[host][op_hash].command_generator = lambda: iter([refusal(problem)])

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, *_: int
    ) -> None:
        """A failed host gets no more operations, so others may have it."""
        if not state.ops[host][op_hash].global_arguments["_ignore_errors"]:
            self._finish(host, failed=", ".join(state.get_op_meta(op_hash).names))

    def _finish(self, host: Host, failed: str = "") -> None:
        held = self._held.pop(host.name, None)
        if held is None:
            return
        metas = [op.operation_meta for op in host.state.ops[host].values()]
        changed = sum(meta.did_change() for meta in metas if meta.is_complete())
        whole = all(meta.is_complete() for meta in metas)
        result = "failed" if failed else "ok" if whole else "interrupted"
        held.lines.end.set(holder.ending(result, changed, failed))
        held.greenlet.join(timeout=END_SECONDS)


def _keeper_of(state: State) -> Keeper:
    """The keeper of a run; the first that asks makes it."""
    for handler in state.callback_handlers:
        if isinstance(handler, Keeper):
            return handler
    keeper = Keeper()
    say_when_stopped()
    for handler in (keeper, Failures(state), Unanswered()):
        state.add_callback_handler(handler)  # type: ignore[no-untyped-call]
    return keeper


def _quietly(host: Host, line: str, arguments: dict[str, Any]) -> str:
    """Run a command beside pyinfra's own. Returns what it printed; a broken connection is none."""
    try:
        _, output = host.run_shell_command(StringCommand(line), **arguments)
    except (TimeoutError, OSError, SSHException, EOFError):
        return ""
    return output.stdout
