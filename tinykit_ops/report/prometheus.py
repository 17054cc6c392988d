"""The report as metrics in Prometheus' text format, for node-exporter's folder of text files.

Evidence is in no metric: it may hold anything, and metrics are read by many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.runner import InstanceReport, Report
from tinykit_ops.exposition import head, sample
from tinykit_ops.report.words import by_severity

NAME = "prometheus"
_MEANINGS = {
    "tinykit_check_outcome": "What each check came to: 1 for the outcome that it has.",
    "tinykit_check_results": "How many checks came to an outcome.",
    "tinykit_check_findings": "How many findings there are, not counting waived ones.",
    "tinykit_check_last_run_timestamp_seconds": "When the instance was last looked at.",
    "tinykit_check_duration_seconds": "How long looking took.",
    "tinykit_check_requests": "How many requests were sent to the instance.",
    "tinykit_check_info": "The version of tinykit-ops that looked.",
}
Sample = tuple[Mapping[str, str], float]


def render(report: Report) -> str:
    """The metrics of all instances; label `target` is the address or the host's name."""
    lines: list[str] = []
    for name, meaning in _MEANINGS.items():
        lines += head(name, meaning)
        for instance in report.instances:
            lines += [_line(name, instance, *sample) for sample in _samples(instance)[name]]
    return "\n".join(lines) + "\n"


def _samples(instance: InstanceReport) -> dict[str, list[Sample]]:
    return {
        "tinykit_check_outcome": list(_outcomes(instance)),
        "tinykit_check_results": [
            ({"outcome": outcome.value}, len(instance.having(outcome))) for outcome in Outcome
        ],
        "tinykit_check_findings": [
            ({"severity": severity.value}, number)
            for severity, number in by_severity(instance).items()
        ],
        "tinykit_check_last_run_timestamp_seconds": [({}, instance.started.timestamp())],
        "tinykit_check_duration_seconds": [({}, instance.seconds)],
        "tinykit_check_requests": [({}, instance.requests)],
        "tinykit_check_info": [({"version": instance.version}, 1)],
    }


def _outcomes(instance: InstanceReport) -> Iterator[Sample]:
    for result in instance.results:
        labels = {
            "check": result.check.id,
            "area": result.check.area.value,
            "severity": result.check.severity.value,
            "outcome": result.verdict.outcome.value,
        }
        yield labels, 1


def _line(name: str, instance: InstanceReport, labels: Mapping[str, str], value: float) -> str:
    return sample(name, {"target": instance.target, **labels}, value)
