"""Knowing a build that ran out of memory from one that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinykit_ops.release.memory import available_gb, ran_out_of_memory


@pytest.mark.parametrize(
    ("status", "output"),
    [
        (-9, ""),
        (137, ""),
        (1, "npm error signal SIGKILL"),
        (134, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
        (1, "Error: spawn ENOMEM"),
        (1, "vite build\nKilled\n"),
    ],
)
def test_a_killed_or_full_build_is_told_apart(status: int, output: str) -> None:
    assert ran_out_of_memory(status, output)


@pytest.mark.parametrize(
    ("status", "output"),
    [(1, "SyntaxError: Unexpected token"), (1, "Killed by a test called Killed by"), (2, "")],
)
def test_an_ordinary_failure_is_not_blamed_on_memory(status: int, output: str) -> None:
    assert not ran_out_of_memory(status, output)


def test_free_memory_counts_swap(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable: 1000000 kB\nSwapFree: 1000000 kB\n")
    assert available_gb(meminfo) == pytest.approx(2.048)


def test_free_memory_is_unknown_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert available_gb(tmp_path / "nothing") == 0
