"""`tinykit-ops host adopt-…`: the steps of an adoption that the agent does on the host."""

from __future__ import annotations

import json
import sys

import click

from tinykit_ops.adopt.here import Adoption
from tinykit_ops.adopt.model import Answers
from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.errors import Exit
from tinykit_ops.host.alone import alone
from tinykit_ops.host.run_lock import changing


@click.command("adopt-prepare", hidden=True)
@click.option("--pocketbase-data", "data", default="")
def adopt_prepare(data: str) -> int:
    """A verified snapshot of the old install; a superuser's login may come on standard input."""
    lines = [] if sys.stdin.isatty() else sys.stdin.read(10_000).splitlines()
    login = (lines[0], lines[1]) if len(lines) >= 2 else None
    with changing("adopt: snapshot"), alone():
        record = Adoption(load_agent_config(), Answers(data=data), say=_say).prepare(login)
    click.echo(record.model_dump_json())
    return Exit.OK


@click.command("adopt-stop", hidden=True)
def adopt_stop() -> int:
    """Stop the old install, and put its data where an instance has its own."""
    with changing("adopt: stop the old install"), alone():
        record = Adoption(load_agent_config(), say=_say).stop()
    click.echo(record.model_dump_json())
    return Exit.OK


@click.command("adopt-finish", hidden=True)
def adopt_finish() -> int:
    """See that the instance is well; from then on it stays."""
    with changing("adopt: finish"), alone():
        record = Adoption(load_agent_config(), say=_say).finish()
    click.echo(record.model_dump_json())
    return Exit.OK


@click.command("adopt-loss", hidden=True)
def adopt_loss() -> int:
    """What was written since the old install stopped, as JSON."""
    click.echo(json.dumps([str(one) for one in Adoption(load_agent_config(), say=_say).loss()]))
    return Exit.OK


@click.command("adopt-back", hidden=True)
@click.option("--unfinished", is_flag=True, help="Only when a conversion was not finished.")
def adopt_back(unfinished: bool) -> int:
    """Stop the instance, and start the old install."""
    with changing("adopt: back to the old install"), alone():
        adoption = Adoption(load_agent_config(), say=click.echo)
        if unfinished and not adoption.unfinished():
            click.echo("nothing to go back from: it was not begun, or is done")
            return Exit.OK
        adoption.back()
    click.echo("the old install serves again")
    return Exit.OK


def _say(line: str) -> None:
    click.echo(line, err=True)
