"""What all formats say of a report in the same words."""

from __future__ import annotations

from tinykit_ops.checks.model import Outcome, Severity
from tinykit_ops.checks.runner import InstanceReport, Report, Result

#: Outcomes in the order in which a reader needs them.
BY_URGENCY = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.PASS)
_NAMES = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.UNKNOWN: "unknown",
    Outcome.WAIVED: "waived",
}


def counted(report: Report | InstanceReport) -> list[tuple[Outcome, int, str]]:
    """(outcome, how many, word), in the order of a sentence; waived ones only if there are any."""
    counts = {each: count(report, each) for each in Outcome}
    return [
        (outcome, counts[outcome], name)
        for outcome, name in _NAMES.items()
        if counts[outcome] or outcome != Outcome.WAIVED
    ]


def count(report: Report | InstanceReport, outcome: Outcome) -> int:
    """How many results have an outcome."""
    if isinstance(report, Report):
        return report.count(outcome)
    return len(report.having(outcome))


def headline(report: Report | InstanceReport, *, baseline: str = "") -> str:
    """The whole report in one sentence; it never says more than was seen.

    Args:
        baseline: what an instance was compared with; a `Report` knows it.
    """
    failed, unseen = count(report, Outcome.FAIL), count(report, Outcome.UNKNOWN)
    if isinstance(report, Report):
        baseline = report.baseline
    if baseline:
        fixed = len(fixed_results(report))
        parts = [_many(failed, "new finding"), f"{fixed} fixed"]
        parts += [f"{unseen} newly unknown"] if unseen else []
        return ", ".join(parts) + f", compared with {baseline}"
    if failed:
        more = f"; {_many(unseen, 'check')} could not be looked at" if unseen else ""
        return f"{_many(failed, 'finding')} to mend{more}"
    if unseen:
        return f"Nothing wrong was seen, but {_many(unseen, 'check')} could not be looked at"
    if not count(report, Outcome.PASS) + count(report, Outcome.WAIVED):
        return "Nothing was looked at"
    waived = count(report, Outcome.WAIVED)
    return f"Nothing to mend; {_many(waived, 'finding')} accepted" if waived else "All passed"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def fixed_results(report: Report | InstanceReport) -> list[Result]:
    """What a baseline knew as findings, and passes now."""
    if isinstance(report, InstanceReport):
        return list(report.fixed)
    return [result for instance in report.instances for result in instance.fixed]


def by_severity(report: Report | InstanceReport) -> dict[Severity, int]:
    """How many findings of each severity there are, the worst first."""
    instances = report.instances if isinstance(report, Report) else (report,)
    found = [each.check.severity for one in instances for each in one.having(Outcome.FAIL)]
    return {severity: found.count(severity) for severity in Severity}


def worst_first(instance: InstanceReport, outcome: Outcome) -> list[Result]:
    """Results of one outcome, the worst first, else in the order of the checklist."""
    order = list(Severity)
    return sorted(instance.having(outcome), key=lambda each: order.index(each.check.severity))
