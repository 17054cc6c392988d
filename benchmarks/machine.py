"""What the figures were taken on, and how busy it was with other things."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

QUIET = 0.15  #: share of the processors' time; below it a machine counts as idle
_SAMPLE_SECONDS = 1.0


def describe() -> dict[str, object]:
    """Processors, memory, kernel, Python and the commit of this checkout."""
    return {
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": _commit(),
    }


@dataclass
class Load:
    """How busy the machine was right before each timed run, when nothing of ours ran.

    Args:
        patience: seconds to wait for a quiet machine before each run; then it runs anyway.
        report: told when it waits in vain.
    """

    patience: float = 0.0
    report: Callable[[str], None] = print
    busy: list[float] = field(default_factory=list)  #: share of all processors' time, 0 to 1
    averages: list[float] = field(default_factory=list)  #: load of the last minute

    def before_a_run(self) -> None:
        """Wait for a quiet machine as long as allowed, and note how busy it is."""
        deadline = time.monotonic() + self.patience
        share = busy_share(_SAMPLE_SECONDS)
        while share > QUIET and time.monotonic() < deadline:
            share = busy_share(_SAMPLE_SECONDS)
        if share > QUIET:
            self.report(f"the machine is busy with other things: {share:.0%} before this run")
        self.busy.append(share)
        self.averages.append(os.getloadavg()[0])

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "busy_before_runs": [round(share, 2) for share in self.busy],
            "load_average_1m": [round(load, 2) for load in self.averages],
            "quiet": self.quiet,
        }

    @property
    def quiet(self) -> bool:
        """Whether nothing else seemed to run."""
        return all(share <= QUIET for share in self.busy)

    def __str__(self) -> str:
        if not self.busy:
            return "not measured"
        text = (
            f"{min(self.busy):.0%} to {max(self.busy):.0%} busy with other things before the "
            f"runs; load average {min(self.averages):.2f} to {max(self.averages):.2f}"
        )
        return text if self.quiet else f"{text}. NOT QUIET: do not quote these figures"


def busy_share(seconds: float) -> float:
    """The share of all processors' time that was used during the next `seconds`, 0 to 1."""
    before = _ticks()
    time.sleep(seconds)
    total, idle = (now - then for now, then in zip(_ticks(), before, strict=True))
    return 1 - idle / total if total else 0.0


def _ticks() -> tuple[int, int]:
    """All ticks and idle ones since boot (proc(5), /proc/stat: idle is field 4, iowait 5)."""
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
