"""The report as JSON, as `schema/check-report.schema.json` describes it, and back again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tinykit_ops import __version__
from tinykit_ops.checks.model import Check, Outcome, Severity, Verdict, Waiver
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.checks.waivers import reported_checks
from tinykit_ops.errors import TinykitOpsError

NAME = "json"
FORMAT = 1  #: counted up when a reader of the old one would misread the new one
_WRONG = (Outcome.FAIL, Outcome.WAIVED)
SCHEMA = Path(__file__).parent / "schema" / "check-report.schema.json"


class BadReport(TinykitOpsError):  # noqa: N818
    """Something that should be a report of checks is none."""


def render(report: Report) -> str:
    """The report as one JSON document."""
    return json.dumps(to_data(report), indent=2, ensure_ascii=False) + "\n"


def to_data(report: Report) -> dict[str, Any]:
    """The report as the schema describes it."""
    return {
        "format": FORMAT,
        "tool": {"name": "tinykit-ops", "version": __version__},
        "exit_code": int(report.exit_code),
        "fail_on": report.fail_on.value,
        **({"baseline": report.baseline} if report.baseline else {}),
        "summary": {outcome.value: report.count(outcome) for outcome in Outcome},
        "instances": [_instance(each, bool(report.baseline)) for each in report.instances],
    }


def _instance(instance: InstanceReport, compared: bool) -> dict[str, Any]:
    fixed = [_result(result) for result in instance.fixed]
    return {
        "target": instance.target,
        "version": instance.version,
        "started": instance.started.isoformat(timespec="seconds"),
        "seconds": instance.seconds,
        "requests": instance.requests,
        "remarks": list(instance.remarks),
        "summary": {outcome.value: len(instance.having(outcome)) for outcome in Outcome},
        "results": [_result(result) for result in instance.results],
        **({"fixed": fixed} if compared else {}),
    }


def _result(result: Result) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "title": check.title,
        "area": check.area.value,
        "severity": check.severity.value,
        "looks_from": check.looks_from.value,
        "checklist": check.checklist,
        "outcome": result.verdict.outcome.value,
        "evidence": list(result.verdict.evidence),
        "remedy": dict(check.remedy.items()) if result.verdict.outcome in _WRONG else {},
        "seconds": result.seconds,
        "broke": bool(result.bug),
        **({"waiver": _waiver(result.waiver)} if result.waiver else {}),
    }


def _waiver(waiver: Waiver) -> dict[str, str]:
    return {"reason": waiver.reason, "until": waiver.until.isoformat()}


def parse(text: str, where: str) -> Report:
    """Read a report that another tinykit-ops wrote.

    Checks that this version does not know are left out, with a remark.

    Args:
        text: JSON.
        where: whose it is, for the error.

    Raises:
        BadReport: it is no such report.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        return Report(
            tuple(_read_instance(each) for each in data["instances"]),
            Severity(data["fail_on"]),
            str(data.get("baseline", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadReport(
            f"This is no report of tinykit-ops check ({type(error).__name__}: {error})",
            where=where,
            hint="Is the same version of tinykit-ops installed there?",
        ) from None


def _read_instance(data: Mapping[str, Any]) -> InstanceReport:
    known = {check.id: check for check in reported_checks()}
    results = [each for each in data["results"] if each["id"] in known]
    strange = [str(each["id"]) for each in data["results"] if each["id"] not in known]
    fixed = [each for each in data.get("fixed", ()) if each["id"] in known]
    remarks = [str(remark) for remark in data["remarks"]]
    if strange:
        remarks.append(f"Checks that this version does not know: {', '.join(strange)}")
    return InstanceReport(
        str(data["target"]),
        tuple(_read_result(each, known[each["id"]]) for each in results),
        datetime.fromisoformat(data["started"]),
        float(data["seconds"]),
        int(data["requests"]),
        tuple(remarks),
        str(data["version"]),
        tuple(_read_result(each, known[each["id"]]) for each in fixed),
    )


def _read_result(data: Mapping[str, Any], check: Check) -> Result:
    evidence = tuple(str(line) for line in data["evidence"])
    verdict = Verdict(Outcome(data["outcome"]), evidence)
    bug = "it broke on the host; run it there with --debug" if data["broke"] else ""
    waiver = None
    if verdict.outcome == Outcome.WAIVED:
        said = data["waiver"]
        waiver = Waiver(str(said["reason"]), date.fromisoformat(said["until"]))
    return Result(check, verdict, float(data["seconds"]), bug, waiver)
