"""`scripts/bench provision`: two comparisons in one run, as ratios."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.command import run
from benchmarks.machine import Load
from benchmarks.provision import ansible, bare, noop
from benchmarks.provision.deploying import copy_checkout
from benchmarks.provision.fresh_lab import Setting, ended_by_signals, refuse_used_name
from benchmarks.report import Measure, Report
from tinykit_ops.errors import Exit
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.requirements import require_root

PARTS = ("bare", "noop")


def say(line: str) -> None:
    """Progress, to standard error."""
    click.echo(f"bench: {line}", err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--rounds", default=3, show_default=True, help="Of bare host → HTTPS.")
@click.option("--noop-rounds", default=5, show_default=True, help="Of the second run.")
@click.option("--only", type=click.Choice(PARTS), help="One of the two comparisons.")
@click.option("--release", type=click.Choice(["13", "12"]), default="13", show_default=True)
@click.option("--lab", default="bench", show_default=True, help="Name of the lab it makes.")
@click.option(
    "--app",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A release archive of tinykit. Default: the contract app, built now.",
)
@click.option(
    "--patience", default=60.0, show_default=True, help="Seconds to wait for a quiet machine."
)
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    rounds: int,
    noop_rounds: int,
    only: str | None,
    release: str,
    lab: str,
    app: Path | None,
    patience: float,
    kind: str,
) -> None:
    """Time deploys/full.py beside a plain shell script, and its second run beside Ansible.

    Needs root on Linux: it makes and removes a lab of its own. Takes some ten minutes.
    Exit codes: 0 all goals met, 1 a goal missed, others: it could not measure.
    """
    if min(rounds, noop_rounds) < 1:
        raise click.BadParameter("--rounds and --noop-rounds must be 1 or more")
    require_root()
    refuse_used_name(lab)
    with (
        ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="tkbench-") as folder,
    ):
        archive = app.resolve() if app else build_contract_release(Path(folder)).archive
        setting = Setting(lab, release, archive, Path(folder), copy_checkout(Path(folder)))
        report = _report(setting, rounds, noop_rounds, only, Load(patience, say))
    click.echo(report.as_json() if kind == "json" else report.as_text())
    sys.exit(Exit.OK if report.met else Exit.FINDINGS)


def _report(
    setting: Setting, rounds: int, noop_rounds: int, only: str | None, load: Load
) -> Report:
    date = datetime.now(UTC).isoformat(timespec="minutes")
    conditions: dict[str, object] = {**machine.describe(), "debian": setting.release}
    conditions["app"] = f"{setting.app.name}, {setting.app.stat().st_size // 1024} KB"
    conditions["pyinfra"] = version("pyinfra")
    measures: list[Measure] = []
    if only != "bare":
        conditions["ansible"] = ansible.version(ansible.ensure_ansible(say))
        measures.append(noop.measure(setting, noop_rounds, load, say))
    if only != "noop":
        measures.append(bare.measure(setting, rounds, load, say))
    conditions["others"] = str(load)
    conditions["load"] = load.as_dict()
    return Report("provision", date, conditions, measures)


if __name__ == "__main__":
    run(command)
