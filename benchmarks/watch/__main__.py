"""`scripts/bench watch`: reading the edge's log, beside GoAccess, and the memory that it takes."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.command import run
from benchmarks.machine import Load
from benchmarks.report import Measure, Report
from benchmarks.samples import Goal, Samples
from benchmarks.watch import timing
from benchmarks.watch.errors import BenchmarkError
from benchmarks.watch.log import write_log
from benchmarks.watch.timing import Cost
from tinykit_ops.errors import Exit
from tinykit_ops.settings.values import size_in_bytes

PARTS = ("speed", "memory")
MB = 1024**2
MEMORY = 150  #: MB that a look may take, whatever the log's size
GROWTH = 1.2  #: times the memory of a small log
SPARE = 2 * 1024 * MB  #: left free on the disk


def say(line: str) -> None:
    """Progress, to standard error."""
    click.echo(f"bench: {line}", err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--only", type=click.Choice(PARTS), help="One of the two parts.")
@click.option("--rounds", default=3, show_default=True, help="Of the speed.")
@click.option("--speed-size", default="100MB", show_default=True, help="Of the log, for speed.")
@click.option("--size", default="10GB", show_default=True, help="Of the log, for the memory.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the logs are written; they are removed at the end.",
)
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for quiet.")
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    only: str | None,
    rounds: int,
    speed_size: str,
    size: str,
    folder: Path | None,
    patience: float,
    kind: str,
) -> None:
    """Time `tinykit-ops watch` reading a log of Caddy, beside GoAccess; see what memory it takes.

    Needs GoAccess for the speed, and room on the disk for the log. Some minutes; the ten gigabytes
    for the memory take several. Exit codes: 0 all goals met, 1 a goal missed, others: it could not
    measure.
    """
    if rounds < 1:
        raise click.BadParameter("--rounds must be 1 or more")
    parts = [only] if only else list(PARTS)
    if "speed" in parts and shutil.which("goaccess") is None:
        raise BenchmarkError("GoAccess is missing", hint="apt install goaccess")
    load, measures = Load(patience, say), []
    with tempfile.TemporaryDirectory(prefix="tkbench-", dir=folder) as own:
        room = Path(own)
        small = _bytes(speed_size, room)
        if "speed" in parts:
            measures.append(_speed(room, small, rounds, load))
        if "memory" in parts:
            measures.append(_memory(room, small, _bytes(size, room), load))
    conditions = {**machine.describe(), "others": str(load), "load": load.as_dict()}
    when = datetime.now(UTC).isoformat(timespec="minutes")
    report = Report("watch", when, conditions, measures)
    click.echo(report.as_json() if kind == "json" else report.as_text())
    sys.exit(Exit.OK if report.met else Exit.FINDINGS)


def _bytes(text: str, folder: Path) -> int:
    try:
        wanted = size_in_bytes(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if shutil.disk_usage(folder).free < wanted + SPARE:
        raise BenchmarkError(
            f"There is no room for a log of {text}", where=str(folder), hint="give --folder"
        )
    return wanted


def _speed(folder: Path, size: int, rounds: int, load: Load) -> Measure:
    log = folder / "access.log"
    lines = write_log(log, size)
    costs: dict[str, list[Cost]] = {"watch": [], "GoAccess": []}
    readers: dict[str, Callable[[Path, Path, int], Cost]] = {
        "watch": timing.ours,
        "GoAccess": timing.goaccess,
    }
    for number in range(rounds):
        # The order changes, so that neither always comes second.
        for name in list(readers)[:: 1 if number % 2 == 0 else -1]:
            load.before_a_run()
            costs[name].append(readers[name](log, folder, lines))
            say(f"{name}: {costs[name][-1].seconds:.1f} s")
    timings = {name: Samples.of([one.seconds for one in costs[name]]) for name in costs}
    figures = {
        name: {
            "lines a second": lines / timings[name].median,
            "lines a second of a processor": lines / Samples.of([c.cpu for c in many]).median,
            "most memory MB": max(one.memory for one in many) / MB,
        }
        for name, many in costs.items()
    }
    ratio = timings["GoAccess"].median / timings["watch"].median
    log.unlink()
    return Measure(
        f"reading {lines} lines, {size / MB:.0f} MB",
        timings,
        fastest=timings["GoAccess"].fastest / timings["watch"].fastest,
        proofs=[
            f"GoAccess took {ratio:.1f} times as long; it counts more (visitors, paths, agents)",
            "each counted every line",
        ],
        figures=figures,
    )


def _memory(folder: Path, small: int, size: int, load: Load) -> Measure:
    costs: dict[str, Cost] = {}
    for wanted in (small, size):
        log, name = folder / "access.log", f"watch, {wanted / MB:.0f} MB"
        lines = write_log(log, wanted)
        load.before_a_run()
        costs[name] = timing.ours(log, folder, lines)
        say(f"{name}: {lines} lines, {costs[name].seconds:.0f} s")
        log.unlink()
    first, last = costs.values()
    return Measure(
        "memory, whatever the size of the log",
        {name: Samples.of([cost.seconds]) for name, cost in costs.items()},
        goals=[
            Goal("most memory in MB", last.memory / MB, MEMORY, at_most=True),
            Goal("times the memory of the small log", last.memory / first.memory, GROWTH, True),
        ],
        figures={
            name: {"most memory MB": cost.memory / MB, "processor s": cost.cpu}
            for name, cost in costs.items()
        },
    )


if __name__ == "__main__":
    run(command)
