"""After the first backup: bringing it back, proving it, and the next one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.backup.errors import BenchmarkError
from benchmarks.backup.first import MB, Say
from benchmarks.backup.site import Site
from benchmarks.backup.tools import DATABASE, UPLOADS, Tool
from benchmarks.report import Measure
from benchmarks.samples import Goal, Samples

MOST_UPLOADS = 1.5  #: times restic's bytes
CHANGED = 0.01
OURS, PEER = "tinykit-ops, sealed", "restic"


def bring_back(site: Site, tools: Sequence[Tool], rounds: int, say: Say) -> list[Measure]:
    """Restore and verify what each tool has stored last, in turns."""
    restored: dict[str, list[float]] = {tool.name: [] for tool in tools}
    verified: dict[str, list[float]] = {}
    for number in range(rounds):
        turn = number % len(tools)
        for tool in [*tools[turn:], *tools[:turn]]:
            to = site.new_folder("restored")
            restored[tool.name].append(tool.restore(to).seconds)
            _see_that_all_came_back(site, to, tool.name)
            shutil.rmtree(to)
            say(f"{tool.name}: restored in {restored[tool.name][-1]:.1f} s")
            if took := tool.verify():
                verified.setdefault(tool.name, []).append(took.seconds)
                say(f"{tool.name}: verified in {took.seconds:.1f} s")
    return [
        Measure("Restore into an empty folder", _samples(restored)),
        Measure("Verify: ours boots PocketBase on it, the others read it", _samples(verified)),
    ]


def second_run(site: Site, tools: Sequence[Tool], say: Say) -> Measure:
    """Change one in a hundred bytes of uploads and one in a hundred rows, and back up again."""
    with site.stopped():
        new = site.dataset.change_uploads(CHANGED)
        rows = site.dataset.change_rows(CHANGED)
    sent: dict[str, dict[str, int]] = {}
    for tool in tools:
        sent[tool.name] = tool.second_run()
        say(f"{tool.name}: second run sent {sum(sent[tool.name].values()) / MB:.1f} MB")
    figures = {
        name: {f"{part}, MB": size / MB for part, size in parts.items()}
        for name, parts in sent.items()
    }
    goals = []
    if {OURS, PEER} <= sent.keys():
        ratio = sent[OURS][UPLOADS] / max(1, sent[PEER][UPLOADS])
        goals.append(Goal(f"uploads sent, {OURS} / {PEER}", ratio, MOST_UPLOADS, at_most=True))
        figures["ratio"] = {f"of the database, {OURS} / {PEER}": _ratio(sent)}
    return Measure(
        f"Second run, {new / MB:.1f} MB of uploads and the newest {rows} rows changed",
        {},
        goals=goals,
        figures=figures,
    )


def _see_that_all_came_back(site: Site, to: Path, who: str) -> None:
    there, back = (_uploads(folder) for folder in (site.storage, to))
    if there != back:
        raise BenchmarkError(f"{who} brought {len(back)} of {len(there)} uploads back, or others")


def _uploads(folder: Path) -> dict[str, int]:
    """Every upload's name and size, wherever it lies below: not all restore to the same depth."""
    return {path.name: path.stat().st_size for path in folder.rglob("file_*.bin")}


def _ratio(sent: Mapping[str, Mapping[str, int]]) -> float:
    return sent[OURS][DATABASE] / max(1, sent[PEER][DATABASE])


def _samples(found: Mapping[str, Sequence[float]]) -> dict[str, Samples]:
    return {name: Samples.of(seconds) for name, seconds in found.items()}
