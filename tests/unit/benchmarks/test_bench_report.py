"""The report holds what was measured, in text and in JSON."""

from __future__ import annotations

import json

from benchmarks.machine import Load
from benchmarks.report import Measure, Report, slow_steps
from benchmarks.samples import Goal, Samples


def _report(ratio: float) -> Report:
    measure = Measure(
        "Bare host",
        {"ours": Samples.of([4.0]), "a script": Samples.of([2.0])},
        goals=[Goal("ours / a script", ratio, 1.3, at_most=True)],
        fastest=2.0,
        steps={"ours": [("Install packages", 3.25)]},
        proofs=["it answered"],
    )
    return Report("provision", "2026-11-23", {"cpus": 2, "load": {"busy": [0.5]}}, [measure])


def test_the_text_has_conditions_timings_goals_proofs_and_steps() -> None:
    assert _report(2.0).as_text().splitlines() == [
        "provision, 2026-11-23",
        "  cpus: 2",
        "",
        "Bare host",
        "  ours      4.00 s (min 4.00, max 4.00, n=1)",
        "  a script  2.00 s (min 2.00, max 2.00, n=1)",
        "  ours / a script: 2.00 (goal ≤ 1.3: MISSED)",
        "  the same of the fastest run of each: 2.00",
        "  seen: it answered",
        "  where the time of ours goes:",
        "       3.25 s  Install packages",
    ]


def test_the_json_says_the_same_to_a_machine() -> None:
    document = json.loads(_report(2.0).as_json())
    assert document["met"] is False
    assert document["conditions"]["load"] == {"busy": [0.5]}
    (measure,) = document["measures"]
    assert measure["timings"]["a script"]["median"] == 2.0
    assert measure["goals"][0] == {
        "what": "ours / a script",
        "number": 2.0,
        "goal": "<= 1.3",
        "met": False,
    }


def test_a_report_is_met_only_when_every_goal_is() -> None:
    assert _report(1.2).met
    assert not _report(1.4).met


def test_steps_are_medians_over_runs_and_a_step_that_comes_twice_counts_with_both() -> None:
    runs = [
        [("start", 0.1), ("apt", 5.0), ("look", 1.0), ("look", 1.0)],
        [("start", 0.1), ("apt", 7.0), ("look", 2.0), ("look", 1.0)],
        [("start", 0.1), ("apt", 6.0), ("look", 2.0), ("look", 2.0)],
    ]
    assert slow_steps(runs, least=0.5) == [("apt", 6.0), ("look", 3.0)]


def test_a_busy_machine_warns_whoever_would_quote_the_figures() -> None:
    load = Load(busy=[0.05, 0.6], averages=[0.2, 3.1])
    assert not load.quiet
    assert "do not quote" in str(load)


def test_a_quiet_machine_gives_no_warning() -> None:
    load = Load(busy=[0.05, 0.1], averages=[0.2, 0.3])
    assert load.quiet
    assert "do not quote" not in str(load)
