"""Memory of our own backup from small data to big."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.backup.dataset import Size
from benchmarks.backup.first import MB, MOST_MEMORY, Say
from benchmarks.backup.measuring import Took
from benchmarks.backup.site import Site
from benchmarks.backup.tools import Tool
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples

MOST_GROWTH = 1.25  #: of the biggest data beside the smallest: flat, but for chance


def measure(site: Site, tool: Tool, sizes: Sequence[int], say: Say) -> Measure:
    """Back data up that grows from one size (bytes of uploads) to the next, each in full."""
    runs: dict[str, Took] = {}
    there = 0
    for size in sizes:
        with site.stopped():
            site.dataset.grow(Size(size - there, 0))
        there = size
        tool.fresh()
        took = tool.back_up()
        runs[f"{size / MB:.0f} MB"] = took
        say(f"{size / MB:.0f} MB: {took.memory / MB:.0f} MB of memory, {took.seconds:.1f} s")
    memory = [took.memory / MB for took in runs.values()]
    return Measure(
        f"Memory of {tool.name}",
        {name: Samples.of([took.seconds]) for name, took in runs.items()},
        goals=[
            Goal("most memory in MB", max(memory), MOST_MEMORY, at_most=True),
            Goal("biggest data / smallest", memory[-1] / memory[0], MOST_GROWTH, at_most=True),
        ],
        figures={name: {"memory, MB": took.memory / MB} for name, took in runs.items()},
    )
