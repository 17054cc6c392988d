"""`tinykit-ops secrets`: what a host keeps, and new ones in its place."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli._fleet import fleet_options
from tinykit_ops.cli._password import first_line
from tinykit_ops.errors import Exit
from tinykit_ops.fleet.ask import ask_one
from tinykit_ops.host.alone import alone
from tinykit_ops.host.run_lock import changing
from tinykit_ops.report.secrets import secrets_json, secrets_text
from tinykit_ops.rotate.kept import kept_secrets
from tinykit_ops.rotate.run import NAMES, rotate

_SECONDS = 1200  #: for a rotation over an inventory; looking through a large disk takes a while


@click.group()
def command() -> None:
    """List the secrets of a host, and rotate them while it serves."""


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_secrets(form: str) -> int:
    """List the secrets that this host keeps, where each comes from, and since when. No values."""
    found = kept_secrets(load_agent_config())
    click.echo(secrets_json(found) if form == "json" else secrets_text(found), nl=False)
    return Exit.OK


@command.command("rotate")
@click.argument("names", nargs=-1, required=True, type=click.Choice(NAMES), metavar="NAME...")
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=str),
    help="The superuser's new password, where the inventory gives it; - is standard input.",
)
@fleet_options
def rotate_secrets(
    names: tuple[str, ...],
    password_file: str | None,
    inventory: Path | None,
    limit: tuple[str, ...],
) -> int:
    """Put new secrets in the place of old ones, and prove that the old ones are gone.

    \b
    superuser           PocketBase's, which tinykit uses: a second one stands in meanwhile
    tokens              ends all logins of all accounts
    basic               password and cookie of the gate `basic`, when they were made on the host
    llm-key             the model's key: remembers the old one; give the inventory a new one,
                        deploy, and run this again: it looks whether the old one is gone
    backup-credentials  the same for the storage's keys
    backup-keys         the same for the public keys of sealed backups: it counts the snapshots
                        that only the old private keys open

    Looked through are files, the database, processes, credentials of units, and the journal. An
    interrupted run is finished by the next one, or by the next deploy.

    Exit codes: 0 done, 1 something old is left, 75 a deploy has to come first, or somebody else is
    changing this host.
    """
    password = first_line(password_file) if password_file else ""
    if inventory:
        words = ["secrets", "rotate", *names, *(["--password-file=-"] if password else [])]
        codes = (Exit.OK, Exit.FINDINGS, Exit.TRY_AGAIN)
        answer = ask_one(
            inventory, words, limit=limit, stdin=password, seconds=_SECONDS, codes=codes
        )
        click.echo(answer.out or "", nl=False)
        click.echo(answer.err, nl=False, err=True)
        return answer.code or Exit.OK
    with changing(f"secrets rotate {' '.join(names)}"), alone():
        return rotate(load_agent_config(), names, click.echo, password)
