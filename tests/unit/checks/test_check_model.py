import pytest

from tinykit_ops.checks.model import Outcome, Remedy, Tally, Verdict, failed, passed, unknown


@pytest.mark.parametrize("make", [passed, failed, unknown])
def test_a_verdict_without_evidence_cannot_be_made(make: object) -> None:
    with pytest.raises(ValueError, match="evidence"):
        make()  # type: ignore[operator]
    with pytest.raises(ValueError, match="evidence"):
        make(" ")  # type: ignore[operator]
    with pytest.raises(ValueError, match="evidence"):
        Verdict(Outcome.PASS, ("seen", ""))


def test_evidence_cannot_steer_a_terminal_or_flood_it() -> None:
    (line,) = failed("to \x1b[2J\r\nhttps://x" + "y" * 9999).evidence
    assert "\x1b" not in line
    assert "\n" not in line
    assert len(line) < 600


def test_one_bad_observation_fails_whatever_else_was_seen() -> None:
    tally = Tally(bad=["b"], unseen=["u"], good=["g"])
    assert tally.verdict() == failed("b")


def test_one_unseen_observation_keeps_a_check_from_passing() -> None:
    assert Tally(unseen=["u"], good=["g"]).verdict() == unknown("u")


def test_nothing_seen_is_not_a_pass() -> None:
    assert Tally().verdict().outcome == Outcome.UNKNOWN


def test_a_remedy_shows_only_the_ways_there_are() -> None:
    assert Remedy(by_hand="a", nginx="b").items() == [("by hand", "a"), ("nginx", "b")]
