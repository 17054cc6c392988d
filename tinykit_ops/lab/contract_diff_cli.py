"""The command behind `scripts/contract-diff`."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path

import click

from tinykit_ops.artifacts import local_binary
from tinykit_ops.errors import Exit, TinykitOpsError
from tinykit_ops.lab.contract_client import EMAIL
from tinykit_ops.lab.contract_diff import Seen, compare, load, record, record_provisioned, save
from tinykit_ops.lab.contract_instance import running

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def cli() -> None:
    """Send one list of requests to two servers and print how their answers differ.

    \b
    contract-diff URL_A URL_B           two running servers, both fresh
    contract-diff apps DIR_A DIR_B      two built apps, each run with its own PocketBase
    contract-diff record URL FILE       one server; keep what was seen
    contract-diff compare FILE FILE     two recordings

    Exit code 0: no difference, 1: differences. The servers end up claimed and full of test data.
    For a server that is claimed already, CONTRACT_DIFF_PASSWORD is the password of the account and
    superuser contract@example.com.
    """


@cli.command("urls", hidden=True)
@click.argument("first")
@click.argument("second")
def urls(first: str, second: str) -> int:
    """Compare two running servers."""
    return _tell(_record(first), _record(second))


@cli.command("apps")
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--pocketbase", "version", metavar="VERSION", help="PocketBase to run them with.")
def apps(first: Path, second: Path, version: str | None) -> int:
    """Compare two built apps, each in a network namespace of its own (root only)."""
    return _tell(*(_record_app(app, version) for app in (first, second)))


@cli.command("record")
@click.argument("url")
@click.argument("file", type=FILE)
def record_command(url: str, file: Path) -> int:
    """Ask one server and keep what was seen."""
    seen = _record(url)
    save(seen, file)
    click.echo(f"{len(seen)} requests recorded in {file}")
    return Exit.OK


@cli.command("record-app")
@click.argument("app", type=FOLDER)
@click.argument("file", type=FILE)
@click.option("--pocketbase", "version", metavar="VERSION", help="PocketBase to run it with.")
def record_app_command(app: Path, file: Path, version: str | None) -> int:
    """Run one built app, ask it and keep what was seen (root only)."""
    seen = _record_app(app, version)
    save(seen, file)
    click.echo(f"{len(seen)} requests recorded in {file}")
    return Exit.OK


@cli.command("compare")
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
def compare_command(first: Path, second: Path) -> int:
    """Compare two recordings."""
    return _tell(load(first), load(second))


def _record(url: str) -> list[Seen]:
    return record(url, password=os.environ.get("CONTRACT_DIFF_PASSWORD"))


def _record_app(app: Path, version: str | None) -> list[Seen]:
    """Two conversations, each with a fresh server: claimed by /setup, and by the environment."""
    binary = local_binary("pocketbase", version)
    environment = {"PROTOCOL_HEADER": "x-forwarded-proto"}
    with (
        tempfile.TemporaryDirectory(prefix="contract-diff-") as folder,
        running(app, Path(folder), binary, environment=environment) as instance,
    ):
        seen = record(instance.url)
    environment |= {"LLM_PROVIDER": "openai", "LLM_MODEL": "m", "LLM_API_KEY": "sk-" + "0" * 40}
    password = secrets.token_hex(16)  # an argument: it must not begin with a hyphen
    with (
        tempfile.TemporaryDirectory(prefix="contract-diff-") as folder,
        running(
            app, Path(folder), binary, environment=environment, superuser=(EMAIL, password)
        ) as instance,
    ):
        return seen + record_provisioned(instance.url, password)


def _tell(first: list[Seen], second: list[Seen]) -> int:
    differences = compare(first, second)
    for difference in differences:
        click.echo(difference)
    click.echo(f"{len(first)} requests, {len(differences)} differences")
    return Exit.FINDINGS if differences else Exit.OK


def main() -> None:
    """Run it; two addresses alone mean the form with two running servers."""
    words = sys.argv[1:]
    if words and words[0].startswith(("http://", "https://")):
        words = ["urls", *words]
    try:
        sys.exit(cli.main(args=words, prog_name="contract-diff", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except click.Abort:
        sys.exit(Exit.INTERRUPTED)
    except TinykitOpsError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
