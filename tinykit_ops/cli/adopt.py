"""`tinykit-ops adopt`: take over an install made by hand."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.adopt.begin import Begun, begin, read_login
from tinykit_ops.adopt.host import read_host
from tinykit_ops.adopt.inventory import write_for
from tinykit_ops.adopt.judge import judge
from tinykit_ops.adopt.look import look_from_afar
from tinykit_ops.adopt.model import Answers
from tinykit_ops.adopt.run import Conversion
from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.report.adopt import install_json, install_text

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("named", metavar="[USER@]HOST[:PORT]")
@click.option("--write", metavar="FILE", type=FILE, help="Write an inventory for it.")
@click.option("--inventory", metavar="FILE", type=FILE, help="Convert it, by this inventory.")
@click.option("--back", is_flag=True, help="With --inventory: back to the old install.")
@click.option("--dry-run", is_flag=True, help="With --inventory: stop before anything is stopped.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--accept-losses", is_flag=True, help="With --yes: end what is not tinykit's, too.")
@click.option("--release", default="", metavar="ARCHIVE", help="The release archive to run.")
@click.option("--domain", "domains", multiple=True, metavar="NAME", help="A domain of its apps.")
@click.option("--email", default="", metavar="ADDRESS", help="Of the first account.")
@click.option("--pocketbase-data", "folder", default="", metavar="DIR", help="On the host.")
@click.option(
    "--superuser-file",
    metavar="FILE",
    type=FILE,
    help="Two lines: e-mail address and password of a superuser, where no setup marker has them.",
)
@click.option("--data", multiple=True, metavar="KEY=VALUE", help="pyinfra's, as ssh_key=FILE.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    named: str,
    write: Path | None,
    inventory: Path | None,
    back: bool,
    dry_run: bool,
    yes: bool,
    accept_losses: bool,
    release: str,
    domains: tuple[str, ...],
    email: str,
    folder: str,
    superuser_file: Path | None,
    data: tuple[str, ...],
    form: str,
) -> int:
    """Take over an install of tinykit that was made by hand (systemd, Docker, bare programs).

    Without --inventory it looks at the host, and changes nothing; with --write, it writes the
    inventory for it. With --inventory it converts the host: it installs the agent, takes a verified
    snapshot, shows what would change, asks, stops the old install, copies its data, and deploys.
    When that fails, the old install is started again.

    Exit codes: 0 all is known, or done; 1 something is in the way; 2 something has to be answered;
    69 the conversion failed.
    """
    host, connection = read_host(named, data)
    answers = Answers(domains=domains, email=email, release=release, data=folder)
    if inventory:
        begun = begin(inventory, host, answers)
        conversion = Conversion(
            inventory, begun.host, answers, click.echo, lambda text: yes or _confirm(text)
        )
        if back:
            return _back(conversion)
        return _convert(conversion, begun, superuser_file, dry_run, accept_losses or not yes)
    if back or dry_run or yes:
        raise UsageError("--back, --dry-run and --yes go with --inventory FILE")
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
        click.echo(f"go on with: tinykit-ops adopt {named} --inventory {write}", err=True)
    return Exit.OK


def _convert(
    conversion: Conversion,
    begun: Begun,
    superuser_file: Path | None,
    dry_run: bool,
    accept_losses: bool,
) -> int:
    if begun.interrupted:
        conversion.confirm("A conversion of this host was interrupted. Go on with it?")
    else:
        click.echo(install_text(begun.host, begun.install), nl=False)
        if begun.install.blockers or begun.install.questions:
            return Exit.FINDINGS if begun.install.blockers else Exit.COULD_NOT_SEE
        if begun.install.losses and not accept_losses:
            raise UsageError(
                f"Something else would end: {begun.install.losses[0]}",
                hint="--accept-losses says that it may; `adopt HOST` lists all",
            )
        conversion.confirm("Install tinykit-ops beside it, and take a snapshot? Nothing is stopped")
        record = conversion.prepare(begun.install, read_login(superuser_file))
        conversion.show(record)
        if dry_run:
            return Exit.OK
        conversion.confirm("Convert it now?")
    done = conversion.convert()
    click.echo(f"converted; nobody was served for {done.away:.1f} seconds")
    click.echo(f"the old data is as it was, in {done.install.data}")
    if "admin_password" in done.install.marker_keys:
        click.echo(f"a password lies in {done.install.marker}: remove it when you stay")
    return Exit.OK


def _back(conversion: Conversion) -> int:
    lost = conversion.loss()
    click.echo("The old install would start again, on its data of the moment when it stopped.")
    for line in lost or ["nothing of people's data has changed since"]:
        click.echo(f"  {'lost: ' if lost else ''}{line}")
    conversion.confirm("Go back?")
    conversion.back()
    return Exit.OK


def _confirm(text: str) -> bool:
    return click.confirm(text, abort=True)
