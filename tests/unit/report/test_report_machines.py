"""What other programs read: JUnit, SARIF and Prometheus, by the rules of their formats."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families
from report_samples import STARTED, all_passed, differences, hostile, real

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.runner import Report
from tinykit_ops.report import junit, prometheus, sarif

REPORTS = [real(), differences(), hostile(), Report(()), Report((all_passed(),))]


def outcomes(report: Report, outcome: Outcome) -> int:
    fixed = sum(len(instance.fixed) for instance in report.instances)
    return report.count(outcome) + (fixed if outcome == Outcome.PASS else 0)


# JUnit. Checked by hand against Ant's and Jenkins's XSD, which are not ours to keep here.

SUITE = ["errors", "failures", "hostname", "id", "name", "package", "skipped", "tests", "time"]


@pytest.mark.parametrize("report", REPORTS)
def test_junit_has_the_shape_of_its_strictest_schema(report: Report) -> None:
    root = Xml.fromstring(junit.render(report))
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        assert sorted(suite.attrib) == [*SUITE, "timestamp"]
        assert suite.get("id") == str(number)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        tags = [child.tag for child in suite]
        assert tags[0] == "properties" and tags[-2:] == ["system-out", "system-err"]
        assert set(tags[1:-2]) == {"testcase"}
        for case in suite.iter("testcase"):
            assert sorted(case.attrib) == ["classname", "name", "time"]
            assert [child.tag for child in case] in ([], ["failure"], ["error"], ["skipped"])


@pytest.mark.parametrize("report", REPORTS)
def test_junit_counts_what_it_holds_and_never_calls_the_unseen_a_success(report: Report) -> None:
    root = Xml.fromstring(junit.render(report))
    for tag, attribute, outcome in (
        ("failure", "failures", Outcome.FAIL),
        ("error", "errors", Outcome.UNKNOWN),
        ("skipped", "skipped", Outcome.WAIVED),
    ):
        told = sum(int(suite.attrib[attribute]) for suite in root)
        assert len(list(root.iter(tag))) == told == outcomes(report, outcome)
    silent = [case for case in root.iter("testcase") if len(case) == 0]
    assert len(silent) == outcomes(report, Outcome.PASS)


def test_junit_tells_evidence_and_remedy_of_a_finding() -> None:
    failure = Xml.fromstring(junit.render(real())).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "not so: The builder's pages and API are closed to strangers"
    assert "GET /tinykit answered 200" in (failure.text or "")
    assert "remedy (nginx):" in (failure.text or "")


# SARIF. The parts that we write, by the OASIS schema (2.1.0) and by what code hosts demand.

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"minLength": 1}}}
LOG: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "run": {
            "type": "object",
            "required": ["tool", "results", "invocations"],
            "properties": {
                "tool": {
                    "properties": {
                        "driver": {
                            "required": ["name", "rules"],
                            "properties": {"rules": {"items": {"$ref": "#/$defs/rule"}}},
                        }
                    }
                },
                "results": {"items": {"$ref": "#/$defs/result"}},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "invocations": {
                    "items": {
                        "required": ["executionSuccessful"],
                        "properties": {
                            "startTimeUtc": {
                                "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
                            }
                        },
                    }
                },
            },
        },
        "rule": {
            "required": ["id", "shortDescription", "help", "defaultConfiguration"],
            "properties": {
                "shortDescription": TEXT,
                "fullDescription": TEXT,
                "help": TEXT,
                "defaultConfiguration": {"properties": {"level": {"$ref": "#/$defs/level"}}},
            },
        },
        "result": {
            "required": ["ruleId", "ruleIndex", "kind", "level", "message", "locations"],
            "properties": {
                "kind": {"enum": ["pass", "fail", "review", "open", "informational"]},
                "level": {"$ref": "#/$defs/level"},
                "message": TEXT,
                "locations": {"minItems": 1},
                "baselineState": {"enum": ["new", "unchanged", "updated", "absent"]},
                "suppressions": {
                    "items": {
                        "required": ["kind", "status", "justification"],
                        "properties": {"kind": {"const": "external"}},
                    }
                },
                "partialFingerprints": {"additionalProperties": {"type": "string"}},
            },
            # "If kind has any value other than fail, then level shall be none."
            "if": {"properties": {"kind": {"not": {"const": "fail"}}}},
            "then": {"properties": {"level": {"const": "none"}}},
        },
    },
}


@pytest.mark.parametrize("report", REPORTS)
def test_sarif_has_the_shape_of_its_schema(report: Report) -> None:
    log = json.loads(sarif.render(report))
    Draft202012Validator(LOG).validate(log)
    for run in log["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(rules) == len(set(rules))
        for row in run["results"]:
            assert rules[row["ruleIndex"]] == row["ruleId"]


def test_sarif_tells_outcomes_apart() -> None:
    (row, *_), fixed = rows(differences(), "new"), rows(differences(), "absent")
    assert (row["kind"], row["level"]) == ("fail", "error")
    assert [each["kind"] for each in fixed] == ["pass", "pass"]
    (waived,) = [each for each in rows(hostile()) if "suppressions" in each]
    assert waived["suppressions"][0]["justification"].startswith("waived until 2027-01-31")
    unseen = [each for each in rows(real()) if each["kind"] == "review"]
    assert len(unseen) == real().count(Outcome.UNKNOWN)


def rows(report: Report, state: str = "") -> list[dict[str, Any]]:
    found = [row for run in json.loads(sarif.render(report))["runs"] for row in run["results"]]
    return [row for row in found if not state or row.get("baselineState") == state]


def test_the_fingerprint_of_a_finding_is_the_same_whatever_its_evidence_is() -> None:
    prints = [each["partialFingerprints"]["instanceAndCheck/v1"] for each in rows(real())]
    assert len(prints) == len(set(prints))
    assert "https://apps.example.com builder.gated" in prints


# Prometheus, by its own parser.


@pytest.mark.parametrize("report", [real(), hostile(), Report(()), Report((all_passed(),))])
def test_metrics_are_what_prometheus_reads(report: Report) -> None:
    families = list(text_string_to_metric_families(prometheus.render(report)))
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.type == "gauge"
        assert family.documentation
        series = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(series) == len(set(series))


def test_metrics_tell_every_outcome_and_zeros_too() -> None:
    report = Report((all_passed(),))
    families = {
        f.name: f.samples for f in text_string_to_metric_families(prometheus.render(report))
    }
    results = {s.labels["outcome"]: s.value for s in families["tinykit_check_results"]}
    assert results == {"pass": len(all_checks()), "fail": 0, "unknown": 0, "waived": 0}
    findings = {s.labels["severity"]: s.value for s in families["tinykit_check_findings"]}
    assert findings == {"critical": 0, "high": 0, "medium": 0, "low": 0}
    (last,) = families["tinykit_check_last_run_timestamp_seconds"]
    assert last.value == STARTED.timestamp()
    assert {s.labels["check"] for s in families["tinykit_check_outcome"]} == {
        check.id for check in all_checks()
    }
