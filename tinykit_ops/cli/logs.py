"""`tinykit-ops logs`: what the programs of an instance said."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli._fleet import fleet_options
from tinykit_ops.errors import Exit
from tinykit_ops.fleet.ask import ask_hosts
from tinykit_ops.host.logs import NAMES, Wanted, show
from tinykit_ops.host.masking import Masker, known_secrets
from tinykit_ops.report.logs import fleet_lines


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option("--since", default="", metavar="TIME", help='As journalctl: "-1 hour", "today".')
@click.option("--lines", default=100, show_default=True, type=click.IntRange(1), help="At most.")
@click.option("--grep", default="", metavar="REGEX", help="Only lines that match.")
@click.option("--follow", is_flag=True, help="Go on with new lines, until Ctrl-C.")
@fleet_options
def command(
    names: tuple[str, ...],
    since: str,
    lines: int,
    grep: str,
    follow: bool,
    inventory: Path | None,
    limit: tuple[str, ...],
) -> int:
    """Show the log of this instance, or of those of an inventory; times are in UTC.

    \b
    NAME: tinykit, pocketbase, edge, backups, checks, firewall; all without one.
    tinykit-ops logs tinykit edge --since "-1 hour" --grep "(?i)error"

    Secrets that this host knows, and logins, are replaced by their names. What visitors asked for
    is in the edge's own log: /var/log/caddy/access.log or /var/log/nginx/tinykit/access.log.

    Exit codes: 0 shown, 2 a host of the inventory could not be asked, 64 wrong words.
    """
    if inventory:
        options = [f"--since={since}", f"--lines={lines}", f"--grep={grep}"]
        words = ["logs", *names, *options, *(["--follow"] if follow else [])]
        seconds = None if follow else 120
        answers = ask_hosts(inventory, words, limit=limit, follow=follow, seconds=seconds)
        for line in fleet_lines(answers, said=follow):
            click.echo(line)
        return Exit.COULD_NOT_SEE if any(answer.code != 0 for answer in answers) else Exit.OK
    wanted = Wanted(names, since, lines, grep)
    settings = load_agent_config().settings
    show(wanted, settings, Masker(known_secrets()), click.echo, follow=follow)
    return Exit.OK
