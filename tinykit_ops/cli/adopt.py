"""`tinykit-ops adopt`: take over an install made by hand."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.adopt.host import read_host
from tinykit_ops.adopt.inventory import write_for
from tinykit_ops.adopt.judge import judge
from tinykit_ops.adopt.look import look_from_afar
from tinykit_ops.adopt.model import Answers
from tinykit_ops.errors import Exit
from tinykit_ops.report.adopt import install_json, install_text


@click.command()
@click.argument("named", metavar="[USER@]HOST[:PORT]")
@click.option(
    "--write",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write an inventory for it; an existing file is never replaced.",
)
@click.option(
    "--release",
    default="",
    metavar="ARCHIVE",
    help="The tinykit to run: a release archive, by path or https:// address.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="NAME",
    help="A domain that it answers for, when its proxy does not tell.",
)
@click.option(
    "--email",
    default="",
    metavar="ADDRESS",
    help="Whose account is the first one, when its setup marker does not tell.",
)
@click.option(
    "--pocketbase-data",
    "folder",
    default="",
    metavar="DIR",
    help="PocketBase's data folder on the host, when it cannot be seen.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="KEY=VALUE",
    help="pyinfra's data for the connection: ssh_key=FILE, _sudo=True, …",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    named: str,
    write: Path | None,
    release: str,
    domains: tuple[str, ...],
    email: str,
    folder: str,
    data: tuple[str, ...],
    form: str,
) -> int:
    """Take over an install of tinykit that was made by hand (systemd, Docker, or bare programs).

    It looks at the host, and changes nothing: what runs, where the data is, who reaches it. With
    --write, it writes the inventory for it.

    Exit codes: 0 all is known, 1 something is in the way, 2 something has to be answered.
    """
    host, connection = read_host(named, data)
    answers = Answers(domains=domains, email=email, release=release, data=folder)
    install = judge(look_from_afar(host, connection), answers)
    click.echo(
        install_json(host, install) if form == "json" else install_text(host, install), nl=False
    )
    if install.blockers:
        return Exit.FINDINGS
    if install.questions:
        return Exit.COULD_NOT_SEE
    if write:
        write_for(write, host, connection, install, release)
        click.echo(f"written: {write}", err=form == "json")
    return Exit.OK
