"""The first backup, while people write: its speed, its memory, and what the writers felt."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.backup.measuring import Took, resident, watched
from benchmarks.backup.site import Site
from benchmarks.backup.tools import Tool
from benchmarks.backup.writes import Latencies, together, writing
from benchmarks.machine import Load
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples

IDLE_SECONDS = 10.0
LEAST_SPEED = 0.9  #: of `tar | zstd -3`, into the same S3 server
MOST_P99, MOST_LONGEST = 50.0, 250.0  #: milliseconds
MOST_MEMORY = 150.0  #: MB
MB = 1e6
#: ours → its like among the peers
LIKES = {"tinykit-ops": "tar | zstd -3", "tinykit-ops, sealed": "tar | zstd -3 | age"}

Say = Callable[[str], None]


@dataclass
class Runs:
    """What the rounds of one tool came to; `grown` is PocketBase's own memory, bytes."""

    took: list[Took] = field(default_factory=list)
    writes: list[Latencies] = field(default_factory=list)
    grown: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> Samples:
        return Samples.of([took.seconds for took in self.took])

    @property
    def memory(self) -> float:
        """MB, the most of all rounds."""
        return max(took.memory for took in self.took) / MB


def measure(site: Site, tools: Sequence[Tool], rounds: int, load: Load, say: Say) -> list[Measure]:
    """Back up with each tool in each round; the order moves on every time.

    Between the tools' turns, writes alone are timed, too: on a busy machine they are slow by
    themselves.
    """
    runs = {tool.name: Runs() for tool in tools}
    alone: list[Latencies] = []
    for number in range(rounds):
        turn = number % len(tools)
        alone.append(_idle(site, load))
        for tool in [*tools[turn:], *tools[:turn]]:
            tool.fresh()
            load.before_a_run()
            _one(site, tool, runs[tool.name])
            last = runs[tool.name]
            say(
                f"round {number + 1} of {rounds}: {tool.name} {last.took[-1].seconds:.1f} s, "
                f"writes p99 {last.writes[-1].p99:.0f} ms"
            )
        alone.append(_idle(site, load))
    return [_speed(site, runs), _felt(runs, together(alone)), _memory(runs)]


def _one(site: Site, tool: Tool, runs: Runs) -> None:
    process = site.server.process
    assert process is not None
    before = resident(process.pid)
    with watched([process.pid]) as peak, writing(site.server, site.folder / "w" / _stamp()) as seen:
        took = tool.back_up()
    runs.took.append(took)
    runs.writes.append(seen)
    runs.grown.append(peak.bytes - before)


def _idle(site: Site, load: Load) -> Latencies:
    load.before_a_run()
    with writing(site.server, site.folder / "w" / _stamp()) as seen:
        time.sleep(IDLE_SECONDS)
    return seen


def _stamp() -> str:
    return str(time.monotonic_ns())


def _speed(site: Site, runs: Mapping[str, Runs]) -> Measure:
    size = site.data_bytes
    goals = [
        Goal(
            f"throughput of {ours} / {peer}",
            runs[peer].seconds.median / runs[ours].seconds.median,
            LEAST_SPEED,
            at_most=False,
        )
        for ours, peer in LIKES.items()
        if {ours, peer} <= runs.keys()
    ]
    return Measure(
        f"First backup of {size / MB:.0f} MB to the same S3 server, while people write",
        {name: each.seconds for name, each in runs.items()},
        goals=goals,
        fastest=_fastest(runs),
        figures={name: {"MB/s": size / MB / each.seconds.median} for name, each in runs.items()},
    )


def _fastest(runs: Mapping[str, Runs]) -> float:
    for ours, peer in LIKES.items():
        if {ours, peer} <= runs.keys():
            return runs[peer].seconds.fastest / runs[ours].seconds.fastest
    return 0.0


def _felt(runs: Mapping[str, Runs], alone: Latencies) -> Measure:
    """Each tool's writes of all rounds together; what is added is beside those alone."""
    felt = {name: together(each.writes) for name, each in runs.items()}
    figures = {
        name: {
            "p99 ms": seen.p99,
            "max ms": seen.longest,
            "p99 added ms": seen.p99 - alone.p99,
            "writes": float(len(seen.milliseconds)),
            "refused": float(seen.refused),
        }
        for name, seen in {"nothing": alone, **felt}.items()
    }
    goals = []
    for name in LIKES.keys() & felt.keys():
        goals.append(Goal(f"p99 ms, {name}", felt[name].p99, MOST_P99, at_most=True))
        goals.append(Goal(f"max ms, {name}", felt[name].longest, MOST_LONGEST, at_most=True))
    return Measure("Writes to PocketBase meanwhile", {}, goals=goals, figures=figures)


def _memory(runs: Mapping[str, Runs]) -> Measure:
    figures = {
        name: {"MB": each.memory, "PocketBase grew by MB": max(each.grown) / MB}
        for name, each in runs.items()
    }
    goals = [
        Goal(f"memory of {name} in MB", runs[name].memory, MOST_MEMORY, at_most=True)
        for name in LIKES
        if name in runs
    ]
    return Measure("Peak memory of the first backup", {}, goals=goals, figures=figures)
