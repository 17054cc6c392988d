"""What a report looks like, and what comes back from it."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from jsonschema import Draft202012Validator

from tinykit_ops import report as reports
from tinykit_ops.checks.model import Outcome, failed, passed, unknown
from tinykit_ops.checks.registry import all_checks, check_named
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.errors import Exit
from tinykit_ops.report import formats, json_format, text

SCHEMA = Draft202012Validator(json.loads(Path(json_format.SCHEMA).read_text()))
SEVERITIES = json.loads(Path(json_format.SCHEMA).read_text())["$defs"]["severity"]
HEADER = "evidence of \x1b[31m a server"


def agent_report() -> InstanceReport:
    on_host = [check for check in all_checks() if check.looks_from == "host"]
    return InstanceReport("host", tuple(Result(each, passed("seen there")) for each in on_host))


def mixed() -> Report:
    verdicts = [passed("fine"), failed(HEADER), unknown("dark")]
    checks = all_checks()
    results = tuple(
        Result(check, verdicts[number % 3], 0.1, "Traceback" if number == 2 else "")
        for number, check in enumerate(checks)
    )
    return Report((InstanceReport("https://one.example", results), agent_report()))


def test_every_format_that_there_is_can_be_asked_for_by_its_name() -> None:
    modules = (
        import_module(f"{reports.__name__}.{each.name}") for each in iter_modules(reports.__path__)
    )
    assert {module.NAME for module in modules if hasattr(module, "NAME")} == set(formats())


@pytest.mark.parametrize("report", [mixed(), Report(()), Report((agent_report(),))])
def test_every_report_follows_the_schema(report: Report) -> None:
    SCHEMA.validate(json.loads(json_format.render(report)))


def test_the_schema_refuses_a_pass_without_evidence_and_an_unknown_outcome() -> None:
    for change in ({"evidence": []}, {"outcome": "fine"}, {"severity": "awful"}):
        data = json_format.to_data(mixed())
        data["instances"][0]["results"][0].update(change)
        assert not SCHEMA.is_valid(data)


def test_the_schema_knows_every_word_that_checks_may_use() -> None:
    result = SCHEMA.schema["$defs"]["result"]["properties"]  # type: ignore[index,call-overload]
    for name, words in (
        ("area", check_named("https.redirect").area.__class__),
        ("severity", check_named("https.redirect").severity.__class__),
        ("looks_from", check_named("https.redirect").looks_from.__class__),
        ("outcome", Outcome),
    ):
        told = SEVERITIES if name == "severity" else result[name]
        assert told["enum"] == [word.value for word in words]


def test_areas_instances_and_counts_are_shown() -> None:
    report = mixed()
    shown = text.render(report)
    assert shown.startswith("https://one.example\n")
    assert "\nhost\n" in shown
    assert "\nbuilder\n" in shown
    counts = [report.count(outcome) for outcome in (Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN)]
    last = shown.rstrip().splitlines()[-1]
    assert last.startswith("{} passed, {} failed, {} unknown".format(*counts))


def test_no_escape_sequence_of_a_server_reaches_the_terminal() -> None:
    assert "\x1b" not in text.render(mixed())
    assert "evidence of" in text.render(mixed())


def test_remarks_are_shown() -> None:
    instance = replace(agent_report(), remarks=("look twice",))
    assert "note: look twice" in text.render(Report((instance,)))


def test_an_empty_report_is_no_finding() -> None:
    assert Report(()).exit_code == Exit.OK
    assert "0 passed" in text.render(Report(()))


def test_a_report_survives_the_way_through_json() -> None:
    report = Report((agent_report(),))
    again = json_format.parse(json_format.render(report), "here")
    assert json_format.to_data(again) == json_format.to_data(report)


@pytest.mark.parametrize(
    "text",
    ["", "sh: 1: tinykit-ops: not found", "[]", "{}", '{"format":2,"instances":[]}', "null"],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(json_format.BadReport):
        json_format.parse(text, "here")


def test_a_pass_without_evidence_is_refused_from_afar_too() -> None:
    data = json_format.to_data(Report((agent_report(),)))
    data["instances"][0]["results"][0]["evidence"] = []
    with pytest.raises(json_format.BadReport):
        json_format.parse(json.dumps(data), "here")


def test_checks_of_another_version_are_left_out_with_a_remark() -> None:
    data = json_format.to_data(Report((agent_report(),)))
    data["instances"][0]["results"][0]["id"] = "builder.of-the-future"
    (instance,) = json_format.parse(json.dumps(data), "here").instances
    assert "builder.of-the-future" in instance.remarks[-1]
    assert len(instance.results) == len(agent_report().results) - 1


def test_every_line_of_a_findings_evidence_is_shown_and_long_passes_are_cut() -> None:
    check = check_named("versions.agent")
    many = [f"line {number}" for number in range(9)]
    results = (Result(check, failed(*many)), Result(check, passed(*many)))
    shown = text.render(Report((InstanceReport("x", results),)))
    assert shown.count("line 8") == 1
    assert "and 5 more" in shown


def test_configuration_in_a_remedy_is_never_wrapped() -> None:
    check = check_named("proxy.dashboard-gated")
    shown = text.render(Report((InstanceReport("x", (Result(check, failed("open")),)),)))
    for line in check.remedy.caddy.expandtabs(4).split("\n"):
        assert line in shown
