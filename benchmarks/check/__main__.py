"""`scripts/bench check`: one look, verdicts on TLS beside testssl.sh, and many instances."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.check import fleet, outside, tls
from benchmarks.check.errors import BenchmarkError
from benchmarks.command import run
from benchmarks.machine import Load
from benchmarks.provision.deploying import copy_checkout
from benchmarks.provision.fresh_lab import Setting, ended_by_signals, refuse_used_name
from benchmarks.report import Measure, Report
from tinykit_ops.errors import Exit
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.requirements import require_root

PARTS = ("outside", "tls", "fleet")
#: Program → Debian's package, by the part that needs it.
PROGRAMS = {
    "outside": {"systemd-nspawn": "systemd-container", "ip": "iproute2"},
    "tls": {"testssl": "testssl.sh", "nginx": "nginx", "openssl": "openssl", "ip": "iproute2"},
    "fleet": {"taskset": "util-linux", "nft": "nftables", "ip": "iproute2"},
}


def say(line: str) -> None:
    """Progress, to standard error."""
    click.echo(f"bench: {line}", err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--only", type=click.Choice(PARTS), help="One of the three parts.")
@click.option("--looks", default=40, show_default=True, help="Of one instance from outside.")
@click.option("--rounds", default=3, show_default=True, help="Of a hundred instances.")
@click.option(
    "--sizes",
    default="300,1000",
    show_default=True,
    help="How many instances else, for the memory; empty for none.",
)
@click.option("--lab", default="bench-check", show_default=True, help="Name of the lab it makes.")
@click.option(
    "--app",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A release archive of tinykit. Default: the contract app, built now.",
)
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for quiet.")
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    only: str | None,
    looks: int,
    rounds: int,
    sizes: str,
    lab: str,
    app: Path | None,
    patience: float,
    kind: str,
) -> None:
    """Time `tinykit-ops check` from outside: one host, twenty TLS configurations, many instances.

    Needs root on Linux, and two processors for the many instances. Takes some fifteen minutes.
    Exit codes: 0 all goals met, 1 a goal missed, others: it could not measure.
    """
    if min(looks, rounds) < 1:
        raise click.BadParameter("--looks and --rounds must be 1 or more")
    more = [_size(word) for word in sizes.split(",") if word]
    require_root()
    parts = [only] if only else list(PARTS)
    _see_that_all_is_there(parts)
    load, measures = Load(patience, say), []
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="tkbench-") as own:
        folder = Path(own)
        if "outside" in parts:
            refuse_used_name(lab)
            measures.append(outside.measure(_setting(lab, app, folder), looks, load, say))
        if "tls" in parts:
            measures.append(tls.measure(folder, load, say))
        if "fleet" in parts:
            measures.append(fleet.measure(folder, more, rounds, load, say))
    report = _report(measures, parts, load)
    click.echo(report.as_json() if kind == "json" else report.as_text())
    sys.exit(Exit.OK if report.met else Exit.FINDINGS)


def _size(word: str) -> int:
    try:
        number = int(word)
    except ValueError:
        number = 0
    if not fleet.MANY < number <= fleet.MOST_INSTANCES:
        raise click.BadParameter(
            f"--sizes wants numbers from {fleet.MANY + 1} to {fleet.MOST_INSTANCES}, not {word!r}"
        )
    return number


def _setting(lab: str, app: Path | None, folder: Path) -> Setting:
    archive = app.resolve() if app else build_contract_release(folder).archive
    return Setting(lab, "13", archive, folder, copy_checkout(folder))


def _report(measures: Sequence[Measure], parts: Sequence[str], load: Load) -> Report:
    conditions = machine.describe()
    if "tls" in parts:
        conditions["testssl"] = _version("testssl.sh")
    conditions |= {"others": str(load), "load": load.as_dict()}
    return Report("check", datetime.now(UTC).isoformat(timespec="minutes"), conditions, measures)


def _version(package: str) -> str:
    words = ["dpkg-query", "--show", "--showformat=${Version}", package]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout or "unknown"


def _see_that_all_is_there(parts: Sequence[str]) -> None:
    """Raises: BenchmarkError, with Debian's packages of what is missing."""
    wanted = {name: package for part in parts for name, package in PROGRAMS[part].items()}
    lacking = {name: package for name, package in wanted.items() if shutil.which(name) is None}
    if lacking:
        raise BenchmarkError(
            f"These programs are missing: {', '.join(lacking)}",
            hint=f"apt install {' '.join(sorted(set(lacking.values())))}",
        )
    if "fleet" in parts and len(os.sched_getaffinity(0)) < 2:
        raise BenchmarkError(
            "The many instances need a processor of their own, and there is only one",
            hint="leave them out with --only",
        )


if __name__ == "__main__":
    run(command)
