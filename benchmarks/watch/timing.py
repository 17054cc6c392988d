"""Running a program to its end, and what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.watch.errors import BenchmarkError


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        seconds: by the clock.
        cpu: seconds of a processor, of the program and the kernel for it.
        memory: most that was resident at once, in bytes.
    """

    seconds: float
    cpu: float
    memory: int
    said: str


def run(words: Sequence[str | Path], folder: Path) -> Cost:
    """Run it, and wait.

    Raises:
        BenchmarkError: it failed, with the end of what it said.
    """
    output = folder / "said"
    began = time.monotonic()
    with output.open("wb") as said:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, text = time.monotonic() - began, output.read_text(errors="replace")
    if process.returncode:
        raise BenchmarkError(f"{words[0]} failed: {text[-500:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text)


def ours(log: Path, folder: Path, lines: int) -> Cost:
    """A look of the watch. Raises: BenchmarkError, also when it has not counted every line."""
    cost = run([sys.executable, "-m", "benchmarks.watch.reading", log], folder)
    _expect(f"requests {lines}" in cost.said, f"the watch did not count {lines} lines: {cost.said}")
    return cost


def goaccess(log: Path, folder: Path, lines: int) -> Cost:
    """GoAccess with its format for Caddy. Raises: BenchmarkError, as above."""
    report = folder / "goaccess.json"
    words = ["goaccess", log, "--log-format=CADDY", "--no-global-config", "--no-progress"]
    cost = run([*words, f"--output={report}"], folder)
    counted = f'"valid_requests": {lines},'
    _expect(counted in report.read_text(), f"GoAccess did not count {lines} lines")
    return cost


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise BenchmarkError(otherwise)
