"""`tinykit-ops release list | activate | rollback | prune`: the releases on a host."""

from __future__ import annotations

import json
import os

import click

from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.host.alone import alone
from tinykit_ops.host.release_store import KEPT, ReleaseStore
from tinykit_ops.host.run_lock import changing
from tinykit_ops.host.serving import prune_releases, serve_step

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.command("list")
@FORMAT
def list_releases(form: str) -> int:
    """List the releases on this host, the newest first."""
    found = ReleaseStore().installed()
    if form == "json":
        click.echo(json.dumps([each.to_json() for each in found], indent=2))
        return Exit.OK
    for each in found:
        commit = each.commit[:12] or "(no commit)"
        click.echo(f"{each.id}  {commit:12}  {each.unpacked}  {each.role}".rstrip())
    return Exit.OK


@click.command()
@click.argument("release", metavar="COMMIT_OR_ID")
def activate(release: str) -> int:
    """Let a release of this host serve, without a gap. Run as root.

    It starts beside the one that serves and is judged first. When it is not well, the exit code is
    69, and visitors still get what they got before.
    """
    _serve(ReleaseStore().find(release).id)
    return Exit.OK


@click.command()
def rollback() -> int:
    """Let the release from before serve again, without a gap. Run as root.

    Only the server is another one: data stays as it is, migrations are not taken back.
    """
    before = ReleaseStore().previous()
    if not before:
        raise UsageError(
            "No release served on this host before the current one.",
            hint="`tinykit-ops release list` shows what is here; `release activate` takes any",
        )
    _serve(before)
    return Exit.OK


@click.command()
@click.option("--keep", type=click.IntRange(min=1), default=KEPT, show_default=True)
def prune(keep: int) -> int:
    """Remove old releases from this host. The current one and the one before always stay."""
    with changing(f"release prune --keep {keep}"), alone():
        gone = prune_releases(keep)
    click.echo("\n".join(f"removed {each}" for each in gone) or "nothing to remove")
    return Exit.OK


def _serve(release: str) -> None:
    with changing(f"release activate {release}"), alone():
        os.umask(0o022)
        step = serve_step(release)
        if step.pending():
            step.apply()
    click.echo(f"release {release} serves")
