"""The metrics of the watch say what it saw, and counters only grow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinykit_ops.watch import metrics
from tinykit_ops.watch.lines import Hit
from tinykit_ops.watch.metrics import Seen, render, write_metrics
from tinykit_ops.watch.problems import Grade, News, Watched
from tinykit_ops.watch.state import State
from tinykit_ops.watch.traffic import Slice

SEEN = Seen(
    {"pocketbase": "", "tinykit": "answers 502"},
    {"tinykit": "617db3416af2", "proxy": 'caddy "x"'},
    1_764_000_000.0,
)


def state() -> State:
    totals = Slice(start=0)
    for seconds, status in ((0.0005, 200), (0.05, 200), (3.0, 502), (1e6, 200)):
        totals.count(Hit(0.0, status, seconds, refused_login=False))
    return State(
        totals=totals,
        looked=1_764_000_060.0,
        shown={"apps.example.com": (1_763_000_000.0, 1_771_000_000.0)},
        watched={"disk:/": Watched(since=5.0), "memory": Watched()},
        owed={"ntfy": [News(id="x", text="y", grade=Grade.MILD)]},
    )


def value(text: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, f"{series} is not in\n{text}"
    return float(found[1])


def test_health_problems_certificates_and_versions_are_told() -> None:
    text = render(state(), SEEN)
    assert value(text, 'tinykit_healthy{program="pocketbase"}') == 1
    assert value(text, 'tinykit_healthy{program="tinykit"}') == 0
    assert value(text, 'tinykit_watch_problem{id="disk:/"}') == 1
    assert value(text, 'tinykit_watch_problem{id="memory"}') == 0
    ends = 'tinykit_certificate_not_after_timestamp_seconds{name="apps.example.com"}'
    assert value(text, ends) == 1_771_000_000
    assert value(text, 'tinykit_version_info{program="proxy",version="caddy \\"x\\""}') == 1
    assert value(text, 'tinykit_watch_owed_messages{channel="ntfy"}') == 1


def test_answers_are_a_histogram_that_adds_up() -> None:
    text = render(state(), SEEN)
    name = "tinykit_edge_request_duration_seconds"
    buckets = [float(one) for one in re.findall(rf"{name}_bucket\S+ (\d+)", text)]
    assert buckets == sorted(buckets)
    assert buckets[0] == 1
    assert buckets[-1] == value(text, f"{name}_count") == 4
    assert value(text, "tinykit_edge_failed_requests_total") == 1


def test_they_are_written_only_where_node_exporter_looks(
    tmp_path: Path, make_settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_see", lambda settings: SEEN)
    write_metrics(tmp_path / "gone" / "w.prom", make_settings(), state())
    assert list(tmp_path.iterdir()) == []
    write_metrics(tmp_path / "w.prom", make_settings(), state())
    assert value((tmp_path / "w.prom").read_text(), "tinykit_edge_requests_total") == 4
    assert (tmp_path / "w.prom").stat().st_mode & 0o777 == 0o644
