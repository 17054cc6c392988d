from dataclasses import replace

import pytest
from checks_imitations import FakeHost

from tinykit_ops.checks import runner
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import Area, CannotLook, Check, Need, Outcome, Vantage, failed, passed
from tinykit_ops.checks.registry import check_named
from tinykit_ops.checks.runner import InstanceReport, Report, run, run_one
from tinykit_ops.errors import Exit, StorageError
from tinykit_ops.report import text


def check_that(look: object, **changes: object) -> Check:
    return replace(check_named("versions.agent"), look=look, needs=(), **changes)  # type: ignore[arg-type]


HERE = Context(host=FakeHost())


def raising(error: Exception) -> object:
    def look(_: Context) -> object:
        raise error

    return look


def test_what_stands_in_the_way_is_the_reason() -> None:
    result = run_one(check_that(raising(CannotLook("a wall"))), HERE)
    assert (result.verdict.outcome, result.verdict.evidence) == (Outcome.UNKNOWN, ("a wall",))
    assert not result.bug


def test_an_error_of_the_toolkit_is_a_reason_with_its_place() -> None:
    result = run_one(check_that(raising(StorageError("torn", where="/x"))), HERE)
    assert result.verdict.evidence == ("torn (/x)",)


def test_a_broken_check_is_unknown_and_keeps_its_traceback_for_debugging() -> None:
    result = run_one(check_that(raising(ZeroDivisionError())), HERE)
    assert result.verdict.outcome == Outcome.UNKNOWN
    assert "a bug in tinykit-ops" in result.verdict.evidence[0]
    assert "ZeroDivisionError" in result.bug
    shown = text.render(Report((InstanceReport("x", (result,)),)))
    assert "Traceback" not in shown


@pytest.mark.parametrize("vantage", list(Vantage))
def test_without_access_a_check_is_not_even_called(vantage: Vantage) -> None:
    check = check_that(lambda _: passed("never"), looks_from=vantage)
    assert run_one(check, Context()).verdict.outcome == Outcome.UNKNOWN


def test_without_the_settings_that_it_needs_a_check_is_unknown() -> None:
    check = replace(check_that(lambda _: passed("never")), needs=(Need.SETTINGS,))
    assert run_one(check, HERE).verdict.outcome == Outcome.UNKNOWN


def test_results_keep_the_order_of_the_checks() -> None:
    checks = [check_that(lambda _, n=number: passed(str(n))) for number in range(20)]
    report = run(checks, HERE, "x")
    assert [result.verdict.evidence[0] for result in report.results] == list(map(str, range(20)))


def test_what_waits_for_silent_ports_begins_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "WORKERS", 1)
    begun: list[str] = []

    def noting(name: str) -> object:
        return lambda _: begun.append(name) or passed(name)  # type: ignore[func-returns-value]

    quick = [check_that(noting(name)) for name in ("one", "two")]
    report = run([*quick, check_that(noting("ports"), area=Area.NETWORK)], HERE, "x")
    assert begun == ["ports", "one", "two"]
    assert [each.verdict.evidence[0] for each in report.results] == ["one", "two", "ports"]


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], Exit.OK),
        (["pass"], Exit.OK),
        (["pass", "unknown"], Exit.COULD_NOT_SEE),
        (["unknown", "fail"], Exit.FINDINGS),
        (["pass", "broke"], Exit.SOFTWARE),
        (["broke", "fail"], Exit.FINDINGS),
    ],
)
def test_the_exit_code_tells_the_worst(outcomes: list[str], code: Exit) -> None:
    looks = {
        "pass": lambda _: passed("x"),
        "fail": lambda _: failed("x"),
        "unknown": raising(CannotLook("x")),
        "broke": raising(ZeroDivisionError()),
    }
    results = tuple(run_one(check_that(looks[each]), HERE) for each in outcomes)
    assert Report((InstanceReport("x", results),)).exit_code == code
