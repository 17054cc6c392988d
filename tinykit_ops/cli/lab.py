"""`tinykit-ops lab`: disposable Debian hosts on this machine."""

from __future__ import annotations

import json
import subprocess

import click

from tinykit_ops.lab import acme, inventory, removal, show
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.names import DEFAULT_LAB, LabNames, cache_root, check_name, state_root
from tinykit_ops.lab.requirements import require_root

name_option = click.option(
    "--name", default=DEFAULT_LAB, envvar="TINYKIT_LAB", show_default=True, help="Which lab."
)
format_option = click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def without_dashes(
    _context: click.Context, _parameter: click.Parameter, words: tuple[str, ...]
) -> tuple[str, ...]:
    """Less the `--` that may separate the command from our own options."""
    return words[1:] if words[:1] == ("--",) else words


PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group(name="lab")
def command() -> None:
    """Disposable Debian hosts on this machine.

    Real systemd, SSH and firewalls under systemd-nspawn, a client that is on no allowlist
    (`outside`), an S3 server and, if asked for, an ACME server. Needs root on Linux. Labs live in
    $TINYKIT_LAB_ROOT (/var/lib/tinykit-ops/labs), base trees in $TINYKIT_LAB_CACHE
    (/var/cache/tinykit-ops/lab).
    """


@command.command()
@name_option
@click.option(
    "--release",
    "releases",
    multiple=True,
    help="13 or 12 (trixie, bookworm); one host for each --release. Default: 13.",
)
@click.option("--count", default=1, show_default=True, help="Hosts of each release.")
@click.option("--no-s3", is_flag=True, help="Do without the S3 server.")
@click.option("--disk", metavar="SIZE", help="A disk of its own for each new host, e.g. 2G.")
@click.option(
    "--docker", is_flag=True, help="Let Docker run on each new host; also $TINYKIT_LAB_DOCKER=1."
)
@click.option("--acme", "with_acme", is_flag=True, help="Run an ACME server (pebble).")
@click.option(
    "--acme-life",
    type=click.IntRange(min=30),
    default=acme.DEFAULT_LIFE,
    metavar="SECONDS",
    help="How long its certificates are good for. Default: 90 days.",
)
def up(
    name: str,
    releases: tuple[str, ...],
    count: int,
    no_s3: bool,
    disk: str | None,
    docker: bool,
    with_acme: bool,
    acme_life: int,
) -> None:
    """Make a lab, or what is missing of it, and wait until its hosts are ready."""
    lab = Lab.up(
        name,
        releases=releases,
        count=count,
        s3=not no_s3,
        disk=disk,
        docker=docker or None,
        acme_life=acme_life if with_acme else 0,
        progress=click.echo,
    )
    click.echo(show.list_text([show.one_lab(lab)]))


@command.command()
@name_option
@click.option("--all", "every", is_flag=True, help="Every lab, and what crashes left of others.")
def down(name: str, every: bool) -> None:
    """End a lab: no process, mount, interface, nft table or file of it stays."""
    require_root()
    if every:
        removal.remove_all(state_root(), click.echo)
        removal.remove_orphans_of_cache(cache_root())
    else:
        removal.remove_lab(LabNames(state_root(), check_name(name)), click.echo)


@command.command(name="list")
@format_option
def list_labs(kind: str) -> None:
    """Show all labs and their hosts."""
    labs = show.all_labs(state_root())
    click.echo(json.dumps(labs, indent=2) if kind == "json" else show.list_text(labs))


@command.command(name="inventory")
@name_option
@format_option
def show_inventory(name: str, kind: str) -> None:
    """Show addresses, users, and where keys and credentials are (never their values)."""
    described = inventory.describe(Lab.load(name))
    click.echo(
        json.dumps(described, indent=2) if kind == "json" else show.inventory_text(described)
    )


@command.command(context_settings=PASS_ON)
@name_option
@click.option("--user", type=click.Choice(inventory.USERS), default="root", show_default=True)
@click.argument("host")
@click.argument("words", nargs=-1, metavar="[-- COMMAND...]", callback=without_dashes)
def ssh(name: str, user: str, host: str, words: tuple[str, ...]) -> int:
    """Log in to HOST, or run a command there, over SSH.

    COMMAND is one word of shell ('uptime; id'), or several words that are passed as they are.
    """
    target = Lab.load(name).host(host)
    return subprocess.run(target.ssh_command(words, user=user), check=False).returncode


@command.command(name="exec", context_settings=PASS_ON)
@name_option
@click.argument("host", metavar="HOST|outside")
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND...", callback=without_dashes)
def execute(name: str, host: str, words: tuple[str, ...]) -> int:
    """Run a command on HOST's console (no network needed), or on the client outside."""
    require_root()
    lab = Lab.load(name)
    if host == "outside":
        return subprocess.run(lab.outside.command(words), check=False).returncode
    return subprocess.run(lab.host(host).enter_command(words), check=False).returncode


@command.command()
@name_option
@click.argument("host")
def reboot(name: str, host: str) -> None:
    """Reboot HOST in good order and wait until it is ready."""
    require_root()
    Lab.load(name).host(host).reboot()


@command.command()
@name_option
@click.argument("host")
def kill(name: str, host: str) -> None:
    """Cut HOST's power; `lab up` boots it again."""
    require_root()
    Lab.load(name).host(host).kill()
