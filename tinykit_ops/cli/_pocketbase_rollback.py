"""`tinykit-ops release pocketbase-rollback`."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.errors import Exit
from tinykit_ops.host.alone import alone
from tinykit_ops.host.run_lock import changing
from tinykit_ops.upgrade import here


@click.command("pocketbase-rollback")
@click.option("--dry-run", is_flag=True, help="Only say what would be lost.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def pocketbase_rollback(dry_run: bool, yes: bool) -> int:
    """Take the last upgrade of PocketBase back: the binary AND the data of that moment.

    Run it on the host, as root. What came since the upgrade is counted and told first; it stays on
    the host, but not in the instance. Then set `pocketbase.version` in the inventory, or the next
    deploy upgrades again.

    Exit codes: 0 done, 64 there is nothing to take back, or a run that was cut off comes first, 69
    the newer version serves again.
    """
    with changing("release pocketbase-rollback"), alone():
        config = load_agent_config()
        here.wait_for_switch()
        back = here.going_back(config)
        if dry_run:
            back.refuse_unfinished()
        else:
            back.refuse_others()
            here.switch(config).settle()
            back.recover(click.echo)
        upgrade = back.check()
        click.echo("a snapshot of the data as it is now, and its verification ...")
        loss = back.loss(upgrade)
        click.echo(f"PocketBase {upgrade.after} → {upgrade.before}, and the data of {upgrade.at}.")
        for row in loss.rows:
            click.echo(f"  lost: {row}")
        if not loss.rows:
            click.echo("  Nothing of people's data has changed since.")
        if dry_run:
            return Exit.OK
        if not yes:
            click.confirm("Go back, and lose that?", abort=True)
        done = back.run(upgrade, click.echo)
    click.echo(f"PocketBase {upgrade.before} serves; the data from before is in {done.kept}")
    click.echo(f'Set "pocketbase": {{"version": "{upgrade.before}"}}, or the next deploy upgrades.')
    return Exit.OK
