"""`scripts/bench fleet`: a run with nothing to do, against the number of hosts."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.command import run
from benchmarks.fleet import noop
from benchmarks.fleet.many import Fleet, boot
from benchmarks.machine import Load
from benchmarks.provision import ansible
from benchmarks.provision.deploying import copy_checkout
from benchmarks.provision.errors import BenchmarkError
from benchmarks.provision.fresh_lab import ended_by_signals
from benchmarks.report import Report
from tinykit_ops.errors import Exit
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.errors import LabNotFoundError
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.requirements import require_root


def say(line: str) -> None:
    """Progress, to standard error."""
    click.echo(f"bench: {line}", err=True)


def _sizes(_context: click.Context, _parameter: click.Parameter, text: str) -> list[int]:
    try:
        sizes = sorted({int(word) for word in text.split(",")})
    except ValueError:
        raise click.BadParameter("numbers with commas between, such as 1,5,10,20") from None
    if sizes[0] < 1:
        raise click.BadParameter("1 or more hosts")
    return sizes


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--sizes", default="1,5,10,20", show_default=True, callback=_sizes, help="Hosts.")
@click.option("--rounds", default=2, show_default=True, help="Runs of either, for each size.")
@click.option(
    "--lab", default="bench-fleet", show_default=True, help="Its lab; one that is there stays."
)
@click.option(
    "--patience", default=60.0, show_default=True, help="Seconds to wait for a quiet machine."
)
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(sizes: list[int], rounds: int, lab: str, patience: float, kind: str) -> None:
    """Time a run that changes nothing beside Ansible, with all hosts side by side in both.

    Needs root on Linux, and 300 MB of memory a host: it makes a lab, and removes it at the end. A
    lab that is there (`scripts/soak fleet --keep`) is used as it is, and stays.
    Exit codes: 0 all goals met, 1 a goal missed, others: it could not measure.
    """
    if rounds < 1:
        raise click.BadParameter("--rounds must be 1 or more")
    require_root()
    with (
        ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="tkbf-") as folder,
        _fleet(lab, max(sizes), Path(folder)) as fleet,
    ):
        report = _report(fleet, sizes, rounds, Load(patience, say), Path(folder))
    click.echo(report.as_json() if kind == "json" else report.as_text())
    sys.exit(Exit.OK if report.met else Exit.FINDINGS)


@contextmanager
def _fleet(name: str, count: int, folder: Path) -> Iterator[Fleet]:
    with suppress(LabNotFoundError):
        there = Lab.load(name)
        if len(there.hosts) < count:
            raise BenchmarkError(f"Lab {name!r} has {len(there.hosts)} hosts, and not {count}.")
        kept = sorted((there.folder / "release").glob("*.tar.zst"))
        app = kept[0] if kept else build_contract_release(folder / "release").archive
        yield Fleet(there, app, folder)
        return
    try:
        lab = boot(name, count, say)
        yield Fleet(lab, build_contract_release(folder / "release").archive, folder)
    finally:
        with suppress(LabNotFoundError):
            Lab.load(name).down()


def _report(fleet: Fleet, sizes: list[int], rounds: int, load: Load, folder: Path) -> Report:
    date = datetime.now(UTC).isoformat(timespec="minutes")
    conditions: dict[str, object] = {**machine.describe(), "pyinfra": version("pyinfra")}
    conditions["ansible"] = ansible.version(ansible.ensure_ansible(say))
    source = copy_checkout(folder)
    measures = noop.measure(fleet, sizes, rounds, noop.Means(source, load, say))
    conditions["others"] = str(load)
    conditions["load"] = load.as_dict()
    return Report("fleet", date, conditions, measures)


if __name__ == "__main__":
    run(command)
