"""What the benchmark of backups measures with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.backup.errors import BenchmarkError
from benchmarks.backup.measuring import Took, run
from benchmarks.backup.writes import Latencies, together
from benchmarks.report import Measure, Report

#: Two of them wait for each other, and then for somebody to look at both.
HOARD = """
import os, pathlib, time
hoard = b"x" * 80_000_000
pathlib.Path(f"hoard-{os.getpid()}").touch()
while len(list(pathlib.Path().glob("hoard-*"))) < 2:
    time.sleep(0.05)
time.sleep(3)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_pipeline_hands_on_what_each_command_writes(tmp_path: Path) -> None:
    save = python("import pathlib, sys; pathlib.Path('out').write_text(sys.stdin.read())")
    run([["printf", "b\\na\\n"], ["sort"], save], {}, tmp_path)
    assert (tmp_path / "out").read_text() == "a\nb\n"


@pytest.mark.parametrize("place", [0, 1])
def test_a_command_that_fails_anywhere_in_a_pipeline_is_told(tmp_path: Path, place: int) -> None:
    pipe = [["true"], ["true"]]
    pipe[place] = ["sh", "-c", "echo the disk is full >&2; exit 3"]
    with pytest.raises(BenchmarkError, match="sh ended with 3") as failure:
        run(pipe, {}, tmp_path)
    assert "the disk is full" in failure.value.hint


def test_memory_is_that_of_all_processes_and_their_children_together(tmp_path: Path) -> None:
    nested = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOARD!r}])")
    took = run([nested, python(HOARD)], {}, tmp_path)
    assert took.memory > 160_000_000


def test_what_is_done_in_turns_takes_the_sum_of_time_and_the_most_of_memory() -> None:
    assert Took(1.0, 50) + Took(2.0, 40) == Took(3.0, 50)


def test_one_write_in_a_hundred_may_be_slower_than_p99() -> None:
    seen = together([Latencies([float(n) for n in range(0, 200, 2)], 1), Latencies([1000.0], 2)])
    assert (seen.p99, seen.longest, seen.refused) == (198.0, 1000.0, 3)


def test_a_comparison_may_have_figures_and_no_timings() -> None:
    measure = Measure("Memory", {}, figures={"ours": {"MB": 112.25}, "the others": {"MB": 90.0}})
    report = Report("backup", "2026-11-24", {}, [measure])
    assert report.as_text().splitlines()[2:] == [
        "Memory",
        "  ours        MB 112.2",
        "  the others  MB 90.0",
    ]
    assert '"MB": 112.25' in report.as_json()
