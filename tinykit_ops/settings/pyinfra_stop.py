"""A run that somebody stops says so, tells the hosts, and does not exit as if it had gone well.

pyinfra itself exits with 0 at Ctrl-C, and dies at SIGTERM without a word.
"""

from __future__ import annotations

import signal
from types import FrameType

import click

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(SystemExit):
    """Somebody stopped the run; its code is that of the command."""


def say_when_stopped() -> None:
    """Let Ctrl-C, SIGTERM and a lost terminal end the command `pyinfra` in order.

    It exits with 128 and the signal's number, as a shell would say it.
    """
    import pyinfra  # a host's agent reads settings too, and comes without

    if not pyinfra.is_cli:
        return
    for each in _SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:  # as `nohup` wants it
            signal.signal(each, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    name = signal.Signals(number).name
    click.echo(
        f"error: this run was stopped ({name})\n"
        "  hint:  run the same again, which finishes what this one has begun",
        err=True,
    )
    raise StoppedError(128 + number)
