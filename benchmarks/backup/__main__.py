"""`scripts/bench backup`: backups beside those of others, as ratios."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.backup import again, first, flat
from benchmarks.backup.dataset import Size
from benchmarks.backup.errors import BenchmarkError
from benchmarks.backup.kit import make_key
from benchmarks.backup.ours import Ours, OwnZip
from benchmarks.backup.site import Site
from benchmarks.backup.tools import Rclone, Restic, Tar, Tool
from benchmarks.command import run
from benchmarks.machine import Load
from benchmarks.provision.fresh_lab import ended_by_signals
from benchmarks.report import Measure, Report
from tinykit_ops.artifacts import default_version
from tinykit_ops.errors import Exit

MB = 1_000_000
PROGRAMS = ("restic", "tar", "zstd", "age")
ROOM = 6  #: times the data: it, its copies while they are restored, and each tool's bucket


def say(line: str) -> None:
    """Progress, to standard error."""
    click.echo(f"bench: {line}", err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--uploads", default=50, show_default=True, help="MB; the goals are for 1074.")
@click.option("--database", default=25, show_default=True, help="MB; the goals are for 250.")
@click.option("--rounds", default=3, show_default=True, help="How often each one is timed.")
@click.option(
    "--memory", help="Only our memory, at these sizes in MB of uploads: --memory 100,1000,10000"
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(tempfile.gettempdir()),
    show_default=True,
    help="Where there is room; nothing stays.",
)
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for quiet.")
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    uploads: int,
    database: int,
    rounds: int,
    memory: str | None,
    folder: Path,
    patience: float,
    kind: str,
) -> None:
    """Back the same PocketBase up with tinykit-ops, restic, rclone, tar and PocketBase itself.

    All send to the same S3 server on this machine. Needs restic, zstd and age, and room for six
    times the data. Exit codes: 0 all goals met, 1 a goal missed, others: it could not measure.
    """
    sizes = [int(word) * MB for word in memory.split(",")] if memory else []
    size = Size(min([uploads * MB, *sizes]) if sizes else uploads * MB, database * MB)
    _see_that_all_is_there(folder, max([*sizes, size.uploads]) + size.database)
    load = Load(patience, say)
    with ended_by_signals(), _site(folder, size) as (site, tools):
        if sizes:
            measures = [flat.measure(site, tools[1], sizes, say)]
        else:
            measures = _compare(site, tools, rounds, load)
        conditions = {**machine.describe(), **_versions(tools[-2].rclone)}
    conditions |= {"others": str(load), "load": load.as_dict()} if load.busy else {}
    date = datetime.now(UTC).isoformat(timespec="minutes")
    report = Report("backup", date, conditions, measures)
    click.echo(report.as_json() if kind == "json" else report.as_text())
    sys.exit(Exit.OK if report.met else Exit.FINDINGS)


def _compare(site: Site, tools: list[Tool], rounds: int, load: Load) -> list[Measure]:
    measures = first.measure(site, tools, rounds, load, say)
    measures.append(again.second_run(site, tools, say))
    return measures + again.bring_back(site, tools, rounds, say)


@contextmanager
def _site(folder: Path, size: Size) -> Iterator[tuple[Site, list[Tool]]]:
    with tempfile.TemporaryDirectory(prefix="tkbench-", dir=folder) as own:
        site = Site(Path(own))
        with closing(site):
            say(f"making {size.uploads / MB:.0f} MB of uploads, {size.database / MB:.0f} of rows")
            site.open(size)
            identity, recipient = make_key(Path(own))
            yield (
                site,
                [
                    Ours(site),
                    Ours(site, recipient, identity),
                    Tar(site),
                    Tar(site, recipient, identity),
                    Restic(site),
                    Rclone(site),
                    OwnZip(site),
                ],
            )


def _see_that_all_is_there(folder: Path, size: int) -> None:
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        raise BenchmarkError(
            f"These programs are missing: {', '.join(lacking)}", hint="install them with apt"
        )
    free = shutil.disk_usage(folder).free
    if free < ROOM * size:
        raise BenchmarkError(
            f"{free // MB} MB are free, and {ROOM * size // MB} are needed",
            where=str(folder),
            hint="give --folder, or smaller sizes",
        )


def _versions(rclone: str) -> dict[str, object]:
    commands = {"restic": ["restic", "version"], "rclone": [rclone, "version"]}
    commands |= {"zstd": ["zstd", "--version"], "age": ["age", "--version"]}
    said = {
        name: subprocess.run(words, capture_output=True, text=True, check=True).stdout
        for name, words in commands.items()
    }
    versions: dict[str, object] = {name: text.splitlines()[0] for name, text in said.items()}
    return {**versions, "pocketbase": default_version("pocketbase")}


if __name__ == "__main__":
    run(command)
