"""`tinykit-ops host firewall-…`: sets, rules on trial, and their way back."""

from __future__ import annotations

import click

from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.errors import Exit
from tinykit_ops.host import firewall_rules
from tinykit_ops.host.alone import alone
from tinykit_ops.host.firewall_sets import FirewallSets
from tinykit_ops.host.firewall_wants import read_wants


@click.command("firewall-sets")
@check_option
def firewall_sets(check: bool) -> int:
    """Fill the firewall's sets: resolvers, the language model's address, the CDN's networks."""
    return run_step(FirewallSets(read_wants()), check)


@click.command("firewall-refresh")
def firewall_refresh() -> int:
    """Find out anew what the sets hold; what cannot be had stays as it was."""
    problems = FirewallSets(read_wants()).refresh()
    for problem in problems:
        click.echo(f"kept as it was: {problem}", err=True)
    return Exit.UNAVAILABLE if problems else Exit.OK


@click.command("firewall-apply")
@click.argument("token", default="")
@check_option
def firewall_apply(token: str, check: bool) -> int:
    """Put new firewall rules on trial, until a new login confirms them."""
    if check:
        left = firewall_rules.pending()
        for what in left:
            click.echo(what)
        return Exit.FINDINGS if left else Exit.OK
    with alone():
        tried = firewall_rules.apply(token, read_wants().ssh_port)
    click.echo("on trial" if tried else "unchanged")
    return Exit.OK


@click.command("firewall-confirm")
@click.argument("token", default="")
def firewall_confirm(token: str) -> int:
    """Keep the firewall rules that are on trial. Only a new SSH login can say so."""
    firewall_rules.confirm(token)
    click.echo("the new firewall rules stay")
    return Exit.OK


@click.command("firewall-wait")
@click.argument("token")
def firewall_wait(token: str) -> int:
    """Wait until somebody confirms the rules of a run, or they are gone."""
    seconds = read_wants().confirm_seconds
    return Exit.OK if firewall_rules.wait(token, seconds) else Exit.FINDINGS


@click.command("firewall-rollback")
def firewall_rollback() -> int:
    """Go back to the firewall rules before those on trial."""
    click.echo(firewall_rules.roll_back())
    return Exit.OK
