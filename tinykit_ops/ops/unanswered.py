"""A fact that cannot be had fails the operation that asks for it, in plain words.

pyinfra asks for facts while an operation runs. When one cannot be had, it marks the host as failed
and goes on with the fact's default, as if that were the answer; or, when no other host is left, it
raises where nobody catches it, which prints a traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State

from tinykit_ops.errors import UnavailableError
from tinykit_ops.ops.refuse import refusal

Commands = Callable[[], Iterator[PyinfraCommand]]


class _NoAnswerError(Exception):
    """The host did not say what an operation has to know."""


def notice_unanswered(host: Host) -> None:
    """Let no operation of this host go on without the answer to a question; once a host."""
    ask = host.get_fact

    @wraps(ask)
    def answered(*arguments: Any, **named: Any) -> Any:
        had_failed = host in host.state.failed_hosts
        answer = ask(*arguments, **named)
        if host.state.is_executing and host in host.state.failed_hosts and not had_failed:
            raise _NoAnswerError
        return answer

    host.get_fact = answered  # type: ignore[method-assign]


class Unanswered(BaseStateCallback):
    """Lets an operation fail one of whose questions is not answered."""

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        """Guard the operation that begins."""
        operation: Any = state.ops[host].get(op_hash)
        if operation is not None:
            operation.command_generator = _guarded(operation.command_generator, host)


def _guarded(commands: Commands, host: Host) -> Commands:
    def guarded() -> Iterator[PyinfraCommand]:
        try:
            yield from commands()
        except (PyinfraError, _NoAnswerError):
            if host not in host.state.failed_hosts:
                raise
            yield refusal(_problem(host))

    return guarded


def _problem(host: Host) -> UnavailableError:
    return UnavailableError(
        "the host did not answer a question of this run",
        where=host.name,
        hint="what went wrong there stands above; run again when it is mended",
    )
