"""One alert a problem, one notice when it is over, and nights in peace."""

from __future__ import annotations

import pytest

from tinykit_ops.watch.problems import Grade, Reading, Watched, follow, is_quiet


def told(looks: str) -> str:
    """What is told of looks: + good, - bad, ? unseen. `P` a problem, `o` over, `.` nothing."""
    watched: dict[str, Watched] = {}
    said = ""
    for number, look in enumerate(looks):
        bad = {"+": False, "-": True, "?": None}[look]
        news = follow(watched, Reading("it", bad, "text", Grade.MILD), 60.0 * (number + 1))
        said += "." if news is None else "o" if news.over else "P"
    return said


@pytest.mark.parametrize(
    ("looks", "news"),
    [
        ("-+-+-+", "......"),
        ("--------", ".P......"),
        ("--++-+++", ".P.....o"),
        ("--+++--", ".P..o.P"),
        ("-?-", "..P"),
        ("--++?+", ".P...o"),
    ],
)
def test_a_problem_is_told_once_and_its_end_once(looks: str, news: str) -> None:
    assert told(looks) == news


@pytest.mark.parametrize(
    ("begins", "ends", "quiet"),
    [
        (22, 7, [22, 23, *range(7)]),
        (1, 3, [1, 2]),
        (5, 5, []),
        (None, None, []),
    ],
)
def test_quiet_hours_may_span_midnight(
    begins: int | None, ends: int | None, quiet: list[int]
) -> None:
    hours = [hour for hour in range(24) if is_quiet(hour, begins, ends)]
    assert sorted(hours) == sorted(quiet)
