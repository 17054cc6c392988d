"""`tinykit-ops release`: build and read release archives; say which one serves on a host."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from tinykit_ops.cli._host_releases import FORMAT, activate, list_releases, prune, rollback
from tinykit_ops.cli._pocketbase_rollback import pocketbase_rollback
from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.release import ReleaseInfo, Source, build_release, inspect_archive


@click.group()
def command() -> None:
    """Build tinykit once, as an archive that hosts only unpack; say which one serves on a host.

    `build` and `inspect` are for your machine, the others for the host, as root. Deploying another
    archive (deploys/full.py) installs it and lets it serve.
    """


for each in (list_releases, activate, rollback, prune, pocketbase_rollback):
    command.add_command(each)


@command.command()
@click.option("--git", "url", metavar="URL", help="Repository to build from (URL or path).")
@click.option("--commit", metavar="SHA", help="Full commit id (40 hex digits), with --git.")
@click.option("--checkout", type=click.Path(path_type=Path), help="Build a local checkout.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("dist"), show_default=True)
@click.option("--allow-dirty", is_flag=True, help="Build changes that are not committed.")
@FORMAT
def build(
    url: str | None,
    commit: str | None,
    checkout: Path | None,
    out: Path,
    allow_dirty: bool,
    form: str,
) -> int:
    """Build a release archive with its .sha256 and .json."""
    source = _source(url, commit, checkout)
    info = build_release(
        source, out, allow_dirty=allow_dirty, report=lambda line: click.echo(line, err=True)
    )
    _show(info, form)
    return Exit.OK


@command.command()
@click.argument("archive", type=click.Path(path_type=Path))
@FORMAT
def inspect(archive: Path, form: str) -> int:
    """Read an archive to its end and tell what it holds."""
    _show(inspect_archive(archive), form)
    return Exit.OK


def _source(url: str | None, commit: str | None, checkout: Path | None) -> Source:
    if checkout is not None and url is None and commit is None:
        return Source.from_checkout(checkout)
    if checkout is None and url is not None and commit is not None:
        return Source.from_git(url, commit)
    raise UsageError(
        "Name one source: either --git URL with --commit SHA, or --checkout DIR.",
        hint="tinykit-ops release build --git URL --commit SHA",
    )


def _show(info: ReleaseInfo, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(asdict(info), indent=2, sort_keys=True, default=str))
        return
    click.echo(f"archive  {info.archive}")
    click.echo(f"sha256   {info.sha256}")
    click.echo(f"app      {info.app} {info.commit or '(no commit noted)'}")
    click.echo(f"size     {info.size / 1e6:.1f} MB, unpacked {info.unpacked_size / 1e6:.1f} MB")
    if info.dirty:
        click.echo("warning  built from changes that were not committed")
