"""Comparing with an older report: what is new, what is fixed, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tinykit_ops.checks.baseline import compare, read_baseline
from tinykit_ops.checks.model import (
    Outcome,
    Severity,
    Verdict,
    Waiver,
    failed,
    passed,
    unknown,
)
from tinykit_ops.checks.registry import all_checks, check_named
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.report import json_format

TARGET = "https://apps.example.com"
VERDICTS = {
    "pass": passed("fine"),
    "fail": failed("wrong"),
    "unknown": unknown("dark"),
    "waived": Verdict(Outcome.WAIVED, ("wrong",)),
}


def result(outcome: str, check_id: str = "https.redirect") -> Result:
    waiver = Waiver("why", date(2027, 1, 31)) if outcome == "waived" else None
    return Result(check_named(check_id), VERDICTS[outcome], waiver=waiver)


def report(*outcomes: str, target: str = TARGET) -> Report:
    checks = all_checks()[: len(outcomes)]
    results = tuple(result(each, check.id) for each, check in zip(outcomes, checks, strict=True))
    return Report((InstanceReport(target, results),))


@pytest.mark.parametrize(
    ("before", "now", "is_new", "is_fixed"),
    [
        ("pass", "pass", False, False),
        ("pass", "fail", True, False),
        ("pass", "unknown", True, False),
        ("pass", "waived", False, False),
        ("fail", "pass", False, True),
        ("fail", "fail", False, False),
        ("fail", "unknown", True, False),
        ("fail", "waived", False, False),
        ("unknown", "pass", False, False),
        ("unknown", "fail", True, False),
        ("unknown", "unknown", False, False),
        ("unknown", "waived", False, False),
        ("waived", "pass", False, True),
        ("waived", "fail", True, False),
        ("waived", "unknown", True, False),
        ("waived", "waived", False, False),
    ],
)
def test_what_is_new_and_what_is_fixed(before: str, now: str, is_new: bool, is_fixed: bool) -> None:
    (found,) = compare(report(now), report(before), "last.json").instances
    assert bool(found.results) is is_new
    assert bool(found.fixed) is is_fixed


def test_only_what_is_new_counts_for_the_exit_code() -> None:
    old = report("fail", "unknown", "pass")
    assert old.exit_code == Exit.FINDINGS
    assert compare(old, old, "x").exit_code == Exit.OK
    assert compare(report("fail", "unknown", "fail"), old, "x").exit_code == Exit.FINDINGS
    assert compare(report("fail", "unknown", "unknown"), old, "x").exit_code == Exit.COULD_NOT_SEE


def test_severities_below_the_wanted_one_do_not_count_but_are_shown() -> None:
    checks = [check for check in all_checks() if check.severity == Severity.MEDIUM]
    found = Report((InstanceReport("x", (Result(checks[0], failed("wrong")),)),))
    for least, code in (
        (Severity.LOW, Exit.FINDINGS),
        (Severity.MEDIUM, Exit.FINDINGS),
        (Severity.HIGH, Exit.OK),
        (Severity.CRITICAL, Exit.OK),
    ):
        judged = replace(found, fail_on=least)
        assert judged.exit_code == code
        assert judged.count(Outcome.FAIL) == 1


def test_a_check_that_broke_is_never_exit_0() -> None:
    broken = Result(check_named("https.redirect"), unknown("broke"), bug="Traceback")
    found = Report((InstanceReport("x", (broken,)),), fail_on=Severity.CRITICAL)
    assert found.exit_code == Exit.SOFTWARE


def test_everything_wrong_of_an_unknown_instance_is_new_with_a_remark() -> None:
    (found,) = compare(report("fail", "pass", "unknown"), report("fail", target="x"), "x").instances
    assert [each.verdict.outcome for each in found.results] == [Outcome.FAIL, Outcome.UNKNOWN]
    assert "does not know this instance" in found.remarks[-1]


def test_a_check_that_is_new_itself_counts_when_it_fails_and_not_when_it_passes() -> None:
    (found,) = compare(report("pass", "pass", "fail"), report("pass"), "x").instances
    assert [each.check.id for each in found.results] == [all_checks()[2].id]


def test_checks_that_were_left_out_this_time_are_neither_new_nor_fixed() -> None:
    (found,) = compare(report("pass"), report("pass", "fail"), "x").instances
    assert (found.results, found.fixed) == ((), ())


def test_a_saved_report_is_a_baseline(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    old = report("fail", "pass", "waived")
    path.write_text(json_format.render(old))
    assert json_format.to_data(read_baseline(path)) == json_format.to_data(old)


def test_a_report_of_differences_is_no_baseline(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    path.write_text(json_format.render(compare(report("fail"), report("pass"), "x")))
    with pytest.raises(UsageError, match="no baseline"):
        read_baseline(path)


@pytest.mark.parametrize("text", ["", "{}", "null", '{"format": 1}', "\0", "[" * 5000])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "last.json"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_baseline(path)
    assert str(path) in str(error.value)


def test_a_baseline_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_baseline(path)


def test_a_waived_finding_without_its_reason_is_no_report(tmp_path: Path) -> None:
    data = json_format.to_data(report("waived"))
    del data["instances"][0]["results"][0]["waiver"]
    path = tmp_path / "last.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError):
        read_baseline(path)
