"""`tinykit-ops host move`: what `tinykit-ops migrate` lets the agents of both hosts do."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.errors import Exit
from tinykit_ops.host.run_lock import changing
from tinykit_ops.migrate.here import Here


@click.group(hidden=True)
def move() -> None:
    """This host's part in a move; `tinykit-ops migrate` says these."""


@move.command()
def show() -> int:
    """Print how this host stands, as JSON."""
    click.echo(_here().state().to_json())
    return Exit.OK


@move.command()
@click.argument("to")
def close(to: str) -> int:
    """Refuse writes: the instance moves to another host."""
    with changing(f"host move close {to}"):
        _here().close(to)
    return Exit.OK


@move.command()
@click.argument("comes_from")
def receive(comes_from: str) -> int:
    """Be the host that an instance moves to."""
    with changing(f"host move receive {comes_from}"):
        _here().receive(comes_from)
    return Exit.OK


def _step(name: str, what: str) -> click.Command:
    def run() -> int:
        with changing(f"host move {name}"):
            getattr(_here(), name)()
        return Exit.OK

    return click.Command(name, callback=run, help=what)


move.add_command(_step("open", "Take writes again."))
move.add_command(_step("leave", "The instance is elsewhere now."))
move.add_command(_step("arrive", "The instance is here now."))
move.add_command(_step("forget", "The instance does not come."))


def _here() -> Here:
    return Here(load_agent_config())
