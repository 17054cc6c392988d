"""`tinykit-ops backup`: snapshots of an instance's data, on its host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.backup import tables
from tinykit_ops.backup.catalog import newest_id, read_index, summaries
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.judgement import Level, judge, worst
from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.prune import prune as prune_target
from tinykit_ops.backup.restore import restore as restore_snapshot
from tinykit_ops.backup.run import run_backup
from tinykit_ops.backup.status import read_status
from tinykit_ops.backup.targets import open_target
from tinykit_ops.backup.verify_run import verify_and_note
from tinykit_ops.errors import Exit, TinykitOpsError

LATEST = "latest"


@dataclass(frozen=True)
class _Host:
    config_file: Path
    places: Places

    def config(self) -> AgentConfig:
        return load_agent_config(self.config_file)


@click.group()
@click.option(
    "--config",
    "config_file",
    default=layout.CONFIG_FILE,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The agent's configuration; secrets are in `secrets/` beside it.",
)
@click.pass_context
def command(ctx: click.Context, config_file: Path) -> None:
    """Back up an instance's data, restore it, and prove that it can be restored.

    Runs on the host, as root. Snapshots never open PocketBase's live files.
    """
    places = ctx.obj if isinstance(ctx.obj, Places) else Places()
    ctx.obj = _Host(config_file, places)


_target = click.option("--target", "target", metavar="NAME", help="Which target; the only one.")
_targets = click.option("--target", "only", metavar="NAME", multiple=True, help="Only this one.")
_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_identity = click.option(
    "--identity",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private age key, for encrypted snapshots.",
)


@command.command()
@_targets
@click.pass_obj
def run(host: _Host, only: tuple[str, ...]) -> int:
    """Make a snapshot now and send it to every target.

    Exit codes: 0 every target has it, 1 at least one has not, 75 another run is at work.
    """
    outcomes = run_backup(host.config(), host.places, only)
    failed = any(outcome.error for outcome in outcomes)
    for line in tables.run_lines(outcomes):
        click.echo(line, err=failed)
    return Exit.FINDINGS if failed else Exit.OK


@command.command("list")
@_targets
@_format
@click.pass_obj
def list_(host: _Host, only: tuple[str, ...], form: str) -> int:
    """List the snapshots of every target; no key is needed."""
    config = host.config()
    found = {name: list(summaries(open_target(config, name))) for name in only or _names(config)}
    if form == "json":
        click.echo(tables.list_json(found))
    else:
        for name, snapshots in found.items():
            click.echo("\n".join(tables.list_lines(name, snapshots)))
    damaged = any(one.fault for snapshots in found.values() for one in snapshots)
    return Exit.FINDINGS if damaged else Exit.OK


@command.command()
@click.argument("snapshot", metavar="ID")
@_target
@_format
@click.pass_obj
def show(host: _Host, snapshot: str, target: str | None, form: str) -> int:
    """Show what is stored for one snapshot (ID, or `latest`)."""
    config = host.config()
    store = open_target(config, _one(config, target))
    index = read_index(store, newest_id(store) if snapshot == LATEST else snapshot)
    text = "\n".join(tables.show_lines(index))
    click.echo(index.model_dump_json(indent=2) if form == "json" else text)
    return Exit.OK


@command.command()
@_format
@click.pass_obj
def status(host: _Host, form: str) -> int:
    """Tell how backups stand, for monitoring; reads only this host's status file.

    Exit codes, as Nagios has them: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    try:
        settings = host.config().settings.backup
        known = read_status(host.places.status)
    except TinykitOpsError as error:
        click.echo(f"BACKUP UNKNOWN: {error.what}")
        return Level.UNKNOWN
    names = [target.name for target in settings.targets]
    judgements = judge(names, known, settings.max_age_hours)
    text = "\n".join(tables.status_lines(judgements))
    click.echo(tables.status_json(judgements, known) if form == "json" else text)
    return worst(judgements)


@command.command()
@click.argument("snapshot", metavar="ID")
@click.option(
    "--to",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="An empty folder, or one that is not there yet.",
)
@_target
@_identity
@click.pass_obj
def restore(host: _Host, snapshot: str, to: Path, target: str | None, identity: Path | None) -> int:
    """Restore a snapshot (ID, or `latest`) into an empty folder; nothing is overwritten."""
    config = host.config()
    store = open_target(config, _one(config, target))
    wanted = newest_id(store) if snapshot == LATEST else snapshot
    done = restore_snapshot(store, wanted, to, read_identities(identity) if identity else [])
    rows = sum(done.manifest.rows.values())
    click.echo(
        f"restored {wanted} to {to}: {rows} rows in {len(done.manifest.rows)} collections, "
        f"{len(done.manifest.uploads)} upload files, PocketBase {done.manifest.pocketbase}"
    )
    return Exit.OK


@command.command()
@_targets
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why the others stay.")
@click.pass_obj
def prune(host: _Host, only: tuple[str, ...], dry_run: bool) -> int:
    """Remove the snapshots that the settings' retention does not keep."""
    config = host.config()
    known = read_status(host.places.status)
    code = Exit.OK
    with only_one(host.places.lock):
        for name in only or _names(config):
            of_target = known.targets.get(name) if known else None
            verified = of_target.verified_snapshot if of_target else None
            pruned = prune_target(
                open_target(config, name),
                config.settings.backup.retention,
                protected=[verified] if verified else [],
                dry_run=dry_run,
            )
            click.echo("\n".join(tables.prune_lines(name, pruned, dry_run=dry_run)))
            code = Exit.FINDINGS if pruned.denied else code
    return code


@command.command()
@click.argument("snapshot", metavar="[ID]", required=False)
@click.option("--latest", is_flag=True, help="The newest one, which is also the default.")
@click.option("--no-boot", is_flag=True, help="Do not boot PocketBase on the copy.")
@_target
@_identity
@click.pass_obj
def verify(
    host: _Host,
    snapshot: str | None,
    latest: bool,
    no_boot: bool,
    target: str | None,
    identity: Path | None,
) -> int:
    """Prove that a snapshot comes back: fetch it, check it, boot PocketBase on the copy.

    Exit codes: 0 it does, 1 it does not, 64 a key is missing, 77 the key is another one.
    """
    if snapshot and latest:
        raise BackupSettingsError("Both an ID and --latest were given", hint="give one of them")
    config = host.config()
    wanted = None if snapshot in (None, LATEST) else snapshot
    name = _one(config, target)
    verdict = verify_and_note(config, host.places, name, wanted, identity, boot=not no_boot)
    for step in verdict.steps:
        click.echo(f"  looked at: {step}")
    for fault in verdict.faults:
        click.echo(f"  FAULT: {fault}")
    click.echo(f"{verdict.id}: {'it comes back' if verdict.sound else 'it does NOT come back'}")
    return Exit.OK if verdict.sound else Exit.FINDINGS


def _names(config: AgentConfig) -> list[str]:
    return [target.name for target in config.settings.backup.targets]


def _one(config: AgentConfig, name: str | None) -> str:
    names = _names(config)
    if name is None and len(names) != 1:
        raise BackupSettingsError(
            f"There are {len(names)} backup targets",
            where="backup.targets",
            hint=f"say which: --target {' | '.join(names)}" if names else "add one",
        )
    return name or names[0]
