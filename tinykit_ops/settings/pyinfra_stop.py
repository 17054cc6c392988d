"""A run that somebody stops says so, tells the hosts, and does not exit as if it had gone well.

pyinfra itself exits with 0 at Ctrl-C, and dies at SIGTERM without a word.
"""

from __future__ import annotations

import signal
from types import FrameType

import click

from tinykit_ops.ending import on_ending


class StoppedError(SystemExit):
    """Somebody stopped the run; its code is that of the command."""


def say_when_stopped() -> None:
    """Let Ctrl-C, SIGTERM and a lost terminal end the command `pyinfra` in order.

    It exits with 128 and the signal's number, as a shell would say it.
    """
    import pyinfra  # a host's agent reads settings too, and comes without

    if pyinfra.is_cli:
        on_ending(_stop)


def _stop(number: int, _: FrameType | None) -> None:
    name = signal.Signals(number).name
    click.echo(
        f"error: this run was stopped ({name})\n"
        "  hint:  run the same again, which finishes what this one has begun",
        err=True,
    )
    raise StoppedError(128 + number)
