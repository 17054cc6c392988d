"""The made-up log of the watch's benchmark is one that the watch understands."""

from __future__ import annotations

from pathlib import Path

from benchmarks.watch.log import BEGINS, RATE, write_log
from tinykit_ops.watch.lines import read_line


def test_every_line_is_a_request_and_times_go_on_as_on_a_host(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    lines = write_log(log, 3_000_000)
    hits = [read_line(line) for line in log.read_bytes().splitlines()]
    assert len(hits) == lines
    assert log.stat().st_size >= 3_000_000
    times = [hit.time for hit in hits if hit is not None]
    assert len(times) == lines
    assert times == sorted(times)
    assert (times[0], times[-1]) == (BEGINS, BEGINS + (lines - 1) / RATE)
    assert {hit.status for hit in hits if hit is not None} == {200, 304, 404, 502}
