"""Timings and goals are told as they are."""

from __future__ import annotations

import pytest

from benchmarks.samples import Goal, Samples


def test_the_median_and_the_spread_are_told_with_the_number_of_timings() -> None:
    assert str(Samples.of([3.0, 1.0, 2.0])) == "2.00 s (min 1.00, max 3.00, n=3)"


def test_the_median_of_two_timings_is_between_them() -> None:
    assert Samples.of([1.0, 2.0]).median == 1.5


def test_json_keeps_every_timing_in_the_order_it_was_taken() -> None:
    assert Samples.of([3.0004, 1.0, 2.0]).as_dict() == {
        "median": 2.0,
        "min": 1.0,
        "max": 3.0,
        "seconds": [3.0, 1.0, 2.0],
    }


@pytest.mark.parametrize("seconds", [[], [1.0, -0.1]])
def test_no_timing_and_a_negative_one_are_refused(seconds: list[float]) -> None:
    with pytest.raises(ValueError, match="timing"):
        Samples.of(seconds)


@pytest.mark.parametrize(
    ("number", "at_most", "met"),
    [
        (1.29, True, True),
        (1.3, True, True),
        (1.31, True, False),
        (1.29, False, False),
        (1.3, False, True),
        (1.31, False, True),
    ],
)
def test_a_goal_is_met_on_its_side_of_the_bound_and_at_the_bound(
    number: float, at_most: bool, met: bool
) -> None:
    assert Goal("ratio", number, 1.3, at_most).met is met


def test_a_missed_goal_says_so_in_text() -> None:
    text = str(Goal("a / b", 1.46, 1.3, at_most=True))
    assert text == "a / b: 1.46 (goal ≤ 1.3: MISSED)"


def test_a_goal_that_rounding_would_hide_is_still_missed() -> None:
    goal = Goal("a / b", 1.3004, 1.3, at_most=True)
    assert not goal.met
    assert goal.as_dict()["met"] is False
