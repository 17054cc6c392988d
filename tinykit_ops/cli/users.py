"""`tinykit-ops users`: the accounts of an instance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli._fleet import fleet_options
from tinykit_ops.cli._password import new_password, password_options
from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.fleet.ask import ask_hosts, ask_one
from tinykit_ops.host.accounts import Accounts, remember_first_password
from tinykit_ops.host.run_lock import changing
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.report.users import HostAccounts, read_accounts, users_json, users_text
from tinykit_ops.settings.values import Email

_STDIN = "--password-file=-"


@click.group()
def command() -> None:
    """Who may log in: list, add and remove accounts, reset passwords.

    \b
    tinykit-ops users list
    tinykit-ops users add ann@example.com --generate
    tinykit-ops users add ann@example.com --inventory inventories/production.py --limit web1

    On the host as root; with --inventory from your machine. Every account can see and change every
    project: tinykit knows no roles.
    """


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@fleet_options
def list_users(form: str, inventory: Path | None, limit: tuple[str, ...]) -> int:
    """List all accounts, and PocketBase's superusers.

    Exit codes: 0 listed, 2 a host of the inventory could not be asked.
    """
    if inventory:
        answers = ask_hosts(inventory, ["users", "list", "--format=json"], limit=limit)
        found = [read_accounts(answer) for answer in answers]
    else:
        with _accounts() as accounts:
            found = [HostAccounts("", tuple(accounts.list()))]
    click.echo(users_json(found) if form == "json" else users_text(found), nl=False)
    return Exit.COULD_NOT_SEE if any(each.problem for each in found) else Exit.OK


@command.command()
@click.argument("email")
@click.option("--name", default="", help="What the builder calls the person.")
@password_options
@fleet_options
def add(
    email: str,
    name: str,
    password_file: str | None,
    generate: bool,
    save: Path | None,
    inventory: Path | None,
    limit: tuple[str, ...],
) -> int:
    """Make an account. Without options, asks for its password.

    Exit codes: 0 made, 64 there is one already or the password will not do, 75 busy.
    """
    _see_that_it_is_an_email(email)
    password = new_password(password_file, generate, save)
    if inventory:
        words = ["users", "add", email, f"--name={name}", _STDIN]
        ask_one(inventory, words, limit=limit, stdin=password.value)
    else:
        with changing(f"users add {email}"), _accounts() as accounts:
            accounts.add(email, password.value, name)
    click.echo(f"added {email}")
    password.deliver(email)
    return Exit.OK


@command.command("reset-password")
@click.argument("email")
@password_options
@fleet_options
def reset_password(
    email: str,
    password_file: str | None,
    generate: bool,
    save: Path | None,
    inventory: Path | None,
    limit: tuple[str, ...],
) -> int:
    """Give an account a new password, and end all of its logins.

    Exit codes: 0 done, 64 there is no such account or the password will not do, 75 busy.
    """
    password = new_password(password_file, generate, save)
    if inventory:
        words = ["users", "reset-password", email, _STDIN]
        ask_one(inventory, words, limit=limit, stdin=password.value)
    else:
        with changing(f"users reset-password {email}"), _accounts() as accounts:
            accounts.reset_password(email, password.value)
            remember_first_password(load_agent_config(), email, password.value)
    click.echo(f"{email} has a new password, and is logged out everywhere")
    password.deliver(email)
    return Exit.OK


@command.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask, and remove also the last one.")
@click.option("--asked", is_flag=True, hidden=True)
@fleet_options
def remove(
    email: str, yes: bool, asked: bool, inventory: Path | None, limit: tuple[str, ...]
) -> int:
    """Delete an account; its logins end, and its projects stay.

    The last account, and the inventory's admin_email, are kept unless --yes is given.

    Exit codes: 0 removed, 64 there is no such account or it should stay, 75 busy.
    """
    if not yes and not asked:
        click.confirm(f"Remove the account {email}?", abort=True)
    if inventory:
        ask_one(inventory, ["users", "remove", email, "--yes" if yes else "--asked"], limit=limit)
    else:
        with changing(f"users remove {email}"), _accounts() as accounts:
            accounts.remove(email, even_if_needed=yes)
    click.echo(f"removed {email}")
    return Exit.OK


@contextmanager
def _accounts() -> Iterator[Accounts]:
    config = load_agent_config()
    with as_superuser(config.settings, config.secret) as pocketbase:
        yield Accounts(config.settings, pocketbase)


def _see_that_it_is_an_email(email: str) -> None:
    try:
        TypeAdapter(Email).validate_python(email)
    except ValidationError:
        raise UsageError(f"{email!r} is no e-mail address") from None
