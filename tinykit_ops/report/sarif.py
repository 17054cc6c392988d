"""The report as SARIF 2.1.0 (OASIS), which code hosts and security dashboards read.

One run an instance. A finding has the kind `fail`, what could not be looked at `review`, and a
waived one an accepted suppression. Nothing here is a place in a source file, so a result's
location is the instance.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from tinykit_ops import __version__
from tinykit_ops.checks.model import Check, Outcome, Severity
from tinykit_ops.checks.runner import InstanceReport, Report, Result

NAME = "sarif"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
#: The scale on which code hosts sort security findings (0.1 to 10.0, as CVSS).
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
}
_KINDS = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.UNKNOWN: "review",
    Outcome.WAIVED: "fail",
}


def render(report: Report) -> str:
    """One log; with a baseline, results say whether they are `new` or `absent` (fixed)."""
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [_run(instance, report) for instance in report.instances],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(instance: InstanceReport, report: Report) -> dict[str, Any]:
    told = [*instance.results, *instance.fixed]
    rules = list({result.check.id: result.check for result in told}.values())
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    results = []
    for result in told:
        row = _result(result, numbers[result.check.id], instance)
        if report.baseline:
            row["baselineState"] = "new" if result in instance.results else "absent"
        results.append(row)
    return {
        "tool": {
            "driver": {
                "name": "tinykit-ops",
                "semanticVersion": __version__,
                "rules": [_rule(check) for check in rules],
            }
        },
        "automationDetails": {"id": f"tinykit-ops check/{instance.target}/"},
        "invocations": [
            {
                "executionSuccessful": not any(result.bug for result in told),
                "startTimeUtc": instance.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "toolExecutionNotifications": [
                    {"message": {"text": remark}, "level": "note"} for remark in instance.remarks
                ],
            }
        ],
        "results": results,
        "columnKind": "unicodeCodePoints",
    }


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "shortDescription": {"text": f"{check.title}."},
        "fullDescription": {"text": f"Answers to: {check.checklist}."},
        "help": {"text": "\n\n".join(f"{way}:\n{text}" for way, text in check.remedy.items())},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {
            "tags": ["security", check.area.value],
            "security-severity": _SCORES[check.severity],
            "looksFrom": check.looks_from.value,
        },
    }


def _result(result: Result, rule: int, instance: InstanceReport) -> dict[str, Any]:
    outcome, check = result.verdict.outcome, result.check
    is_bad = outcome in {Outcome.FAIL, Outcome.WAIVED}
    row: dict[str, Any] = {
        "ruleId": check.id,
        "ruleIndex": rule,
        "kind": _KINDS[outcome],
        "level": _LEVELS[check.severity] if is_bad else "none",
        "message": {"text": "\n".join(result.verdict.evidence)},
        "locations": [
            {"logicalLocations": [{"name": instance.target, "fullyQualifiedName": instance.target}]}
        ],
        # The same finding of the same instance, whatever its evidence is tonight.
        "partialFingerprints": {"instanceAndCheck/v1": f"{instance.target} {check.id}"},
    }
    if result.waiver:
        row["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": str(result.waiver),
            }
        ]
    return row
