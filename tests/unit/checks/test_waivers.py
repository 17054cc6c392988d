"""Accepting a finding: with a reason, until a day, for the hosts that are meant, and never more."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tinykit_ops.checks.model import Outcome, Severity, failed, passed, unknown
from tinykit_ops.checks.registry import check_named
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.checks.waivers import CHECK, Entry, apply_waivers
from tinykit_ops.checks.waivers_file import parse_waivers, read_waivers
from tinykit_ops.errors import AccessError, Exit, UsageError

TODAY = date(2026, 11, 24)
GOOD = """
[[waiver]]
id = "https.redirect"
scope = "*.example.com"
reason = "Ticket 4711"
until = 2026-11-24
"""


def seen(target: str = "https://apps.example.com", verdict: object = None) -> Report:
    found = verdict or failed("it served a page")
    results = (
        Result(check_named("https.redirect"), found),  # type: ignore[arg-type]
        Result(check_named("builder.gated"), passed("404")),
    )
    return Report((InstanceReport(target, results),))


def apply(text: str, report: Report | None = None, today: date = TODAY) -> dict[str, Result]:
    judged = apply_waivers(report or seen(), parse_waivers(text, "waivers.toml"), today)
    return {result.check.id: result for result in judged.instances[0].results}


def test_a_waived_finding_is_shown_as_waived_with_its_evidence_and_reason() -> None:
    result = apply(GOOD)["https.redirect"]
    assert result.verdict.outcome == Outcome.WAIVED
    assert result.verdict.evidence == ("it served a page",)
    assert str(result.waiver) == "waived until 2026-11-24: Ticket 4711"


def test_a_waived_finding_does_not_count_for_the_exit_code() -> None:
    assert seen().exit_code == Exit.FINDINGS
    assert apply_waivers(seen(), parse_waivers(GOOD, "x"), TODAY).exit_code == Exit.OK


def test_it_holds_on_its_last_day_and_not_on_the_next() -> None:
    assert apply(GOOD)["https.redirect"].waiver
    late = apply(GOOD, today=date(2026, 11, 25))
    assert late["https.redirect"].verdict.outcome == Outcome.FAIL
    assert late[CHECK.id].verdict.outcome == Outcome.FAIL
    assert "ended on 2026-11-24" in late[CHECK.id].verdict.evidence[0]


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ('reason = "Ticket 4711"', "has no reason"),
        ("until = 2026-11-24", "has no end"),
    ],
)
def test_without_a_reason_or_an_end_it_accepts_nothing_and_is_a_finding(
    gone: str, said: str
) -> None:
    found = apply(GOOD.replace(gone, ""))
    assert found["https.redirect"].verdict.outcome == Outcome.FAIL
    assert found[CHECK.id].verdict.outcome == Outcome.FAIL
    assert said in found[CHECK.id].verdict.evidence[0]


def test_a_reason_of_spaces_is_none() -> None:
    assert "has no reason" in str(apply(GOOD.replace("Ticket 4711", "  "))[CHECK.id].verdict)


@pytest.mark.parametrize(
    ("scope", "target", "covered"),
    [
        ("*", "https://apps.example.com", True),
        ("apps.example.com", "https://apps.example.com", True),
        ("APPS.example.com", "https://apps.example.com:8443", True),
        ("*.example.com", "https://apps.example.com", True),
        ("*.example.com", "https://example.com", False),
        ("*.example.com", "https://apps.example.com.evil.test", False),
        ("apps.example.com", "https://other.example.com", False),
        ("tk-?", "tk-1", True),
        ("tk-?", "tk-11", False),
        ("[2001:db8::1]", "https://[2001:db8::1]", False),
        ("2001:db8::1", "https://[2001:db8::1]", True),
    ],
)
def test_the_scope_is_a_pattern_of_host_names(scope: str, target: str, covered: bool) -> None:
    found = apply(GOOD.replace("*.example.com", scope), seen(target))
    assert bool(found["https.redirect"].waiver) is covered


def test_on_the_host_itself_its_domains_are_its_names_too() -> None:
    entries = parse_waivers(GOOD, "x")
    judged = apply_waivers(seen("tk-1"), entries, TODAY, ("apps.example.com",))
    assert judged.instances[0].results[0].waiver


def test_what_was_not_seen_is_never_waived() -> None:
    found = apply(GOOD, seen(verdict=unknown("no answer")))
    assert found["https.redirect"].verdict.outcome == Outcome.UNKNOWN


def test_a_waiver_that_is_not_needed_says_so() -> None:
    found = apply(GOOD, seen(verdict=passed("308")))
    assert found[CHECK.id].verdict.outcome == Outcome.PASS
    assert "not needed now" in found[CHECK.id].verdict.evidence[0]


def test_the_waiver_that_holds_longest_counts() -> None:
    later = GOOD.replace("2026-11-24", "2027-05-01").replace("4711", "4712")
    found = apply(later + GOOD)
    assert "4712" in str(found["https.redirect"].waiver)


def test_an_expired_waiver_beside_a_good_one_is_still_a_finding() -> None:
    found = apply(GOOD + GOOD.replace("2026-11-24", "2026-01-01"))
    assert found["https.redirect"].waiver
    assert found[CHECK.id].verdict.outcome == Outcome.FAIL


def test_waivers_cannot_be_waived() -> None:
    with pytest.raises(UsageError, match="names no check"):
        parse_waivers(GOOD.replace("https.redirect", CHECK.id), "x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("https.redirect", "https.redirekt"), "meant https.redirect?"),
        (("https.redirect", ""), "names no check"),
        (('id = "https.redirect"', ""), "names no check"),
        (("reason", "raeson"), "meant reason?"),
        (('scope = "*.example.com"', ""), "has no scope"),
        (("*.example.com", " "), "has no scope"),
        (("Ticket 4711", "x" * 301), "no text of at most 300"),
        (("Ticket 4711", "\\u001b[2J"), "control characters"),
        (("2026-11-24", '"next year"'), "no day"),
        (("2026-11-24", "2026-11-24T10:00:00"), "no day"),
        (("2026-11-24", "7"), "no day"),
        (("[[waiver]]", "[waiver]"), "is no list of waivers"),
        (("[[waiver]]", "[[waivers]]"), "is no list of waivers"),
        (("[[waiver]]", "[[waiver"), "no TOML"),
        (("[[waiver]]", "x = " + "[" * 5000), "no TOML"),
    ],
)
def test_whatever_else_is_wrong_is_refused(change: tuple[str, str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_waivers(GOOD.replace(*change), "waivers.toml")
    assert said in str(error.value)
    assert "waivers.toml" in str(error.value)


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace("https.redirect", "nosuch.check") + GOOD.replace("scope", "scop")
    with pytest.raises(UsageError) as error:
        parse_waivers(text, "x")
    assert "waiver 1 names no check" in str(error.value)
    assert "waiver 2 has no scope" in str(error.value)


def test_a_day_may_be_written_as_text_and_a_reason_over_lines() -> None:
    text = GOOD.replace("2026-11-24", '"2027-01-31"').replace('"Ticket 4711"', '"""Ticket\n 1"""')
    assert parse_waivers(text, "x") == [
        Entry(1, "https.redirect", "*.example.com", "Ticket 1", date(2027, 1, 31))
    ]


def test_an_empty_file_waives_nothing() -> None:
    found = apply("")
    assert found["https.redirect"].verdict.outcome == Outcome.FAIL
    assert found[CHECK.id].verdict.outcome == Outcome.PASS


def test_files_that_cannot_be_read_are_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "binary"):
        with pytest.raises((UsageError, AccessError), match="cannot be read"):
            read_waivers(path)


def test_the_verdict_on_waivers_counts_by_its_own_severity() -> None:
    assert CHECK.severity == Severity.MEDIUM
    assert CHECK.remedy.by_hand
