"""The report as JUnit's XML, which every CI system shows.

A finding is a `failure`. What could not be looked at is an `error`, never a success; a waived
finding is `skipped`, with the reason. A suite is an area of an instance. There is no standard; this
is valid for the strictest schema around (Ant's, where nothing in a suite may be left out) and for
Jenkins's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from itertools import groupby
from xml.etree import ElementTree as Xml

from tinykit_ops.checks.model import Area, Outcome
from tinykit_ops.checks.runner import InstanceReport, Report, Result

NAME = "junit"
_TAGS = {Outcome.FAIL: "failure", Outcome.UNKNOWN: "error", Outcome.WAIVED: "skipped"}
_COUNTS = {"failures": Outcome.FAIL, "errors": Outcome.UNKNOWN, "skipped": Outcome.WAIVED}


def render(report: Report) -> str:
    """One document; what a baseline knew and is fixed now is a success in it."""
    root = Xml.Element("testsuites")
    for instance in report.instances:
        results = (*instance.results, *instance.fixed)
        order = list(Area)
        by_area = sorted(results, key=lambda each: order.index(each.check.area))
        for area, group in groupby(by_area, lambda each: each.check.area):
            root.append(_suite(instance, area, list(group), len(root)))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def _suite(
    instance: InstanceReport, area: Area, results: Sequence[Result], number: int
) -> Xml.Element:
    outcomes = [result.verdict.outcome for result in results]
    counts = {name: str(outcomes.count(outcome)) for name, outcome in _COUNTS.items()}
    about = {
        "id": str(number),
        "package": "tinykit-ops.check",
        "name": f"{instance.target} {area.value}",
        "tests": str(len(results)),
        **counts,
        "time": f"{sum(result.seconds for result in results):.3f}",
        "timestamp": instance.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": instance.target,
    }
    suite = Xml.Element("testsuite", about)
    properties = Xml.SubElement(suite, "properties")
    Xml.SubElement(properties, "property", name="tinykit-ops", value=instance.version)
    suite.extend(_case(result) for result in results)
    Xml.SubElement(suite, "system-out").text = _seen(results)
    Xml.SubElement(suite, "system-err").text = "\n".join(instance.remarks)
    return suite


def _seen(results: Sequence[Result]) -> str:
    """The evidence of what passed: it has no other place."""
    passed = (result for result in results if result.verdict.outcome == Outcome.PASS)
    return "\n".join(
        f"{each.check.id}: {line}" for each in passed for line in each.verdict.evidence
    )


def _case(result: Result) -> Xml.Element:
    check, outcome = result.check, result.verdict.outcome
    area, _, name = check.id.partition(".")
    case = Xml.Element("testcase", classname=area, name=name, time=f"{result.seconds:.3f}")
    evidence = "\n".join(result.verdict.evidence)
    if outcome == Outcome.PASS:
        return case
    tag = Xml.SubElement(case, _TAGS[outcome], message=_message(result))
    if outcome != Outcome.WAIVED:
        tag.set("type", check.severity.value)
        tag.text = evidence
    if outcome == Outcome.FAIL:
        ways = (f"remedy ({way}):\n{text.expandtabs(4)}" for way, text in check.remedy.items())
        tag.text = "\n\n".join([evidence, *ways])
    return case


def _message(result: Result) -> str:
    if result.waiver:
        return str(result.waiver)
    if result.verdict.outcome == Outcome.UNKNOWN:
        return f"could not be looked at: {result.check.title}"
    return f"not so: {result.check.title}"
