"""Was it tinykit that answered until the end? A captive portal may have come in between."""

from __future__ import annotations

from dataclasses import replace

from tinykit_ops.checks.fingerprint import PATH, is_picture
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook, Outcome, Vantage, unknown
from tinykit_ops.checks.runner import InstanceReport, Result

_ANONYMOUS = frozenset({Vantage.OUTSIDE, Vantage.OUTSIDER})


def without_foreign_passes(report: InstanceReport, client: Client) -> InstanceReport:
    """The report, in which nothing seen by HTTP passes when somebody else answers by now.

    Args:
        report: of a look that began with tinykit's own answer.
        client: as it was then.
    """
    try:
        answer = client.get(PATH)
    except CannotLook:
        return report  # whatever passed was answered
    report = replace(report, requests=report.requests + 1)
    if is_picture(answer) or answer.status == 429 or answer.status >= 500:
        return report
    why = f"in the end {answer} and no longer as tinykit: somebody else answers in its place"
    results = tuple(_doubt(result, why) for result in report.results)
    return replace(report, results=results)


def _doubt(result: Result, why: str) -> Result:
    seen_by_http = result.check.looks_from in _ANONYMOUS
    if not seen_by_http or result.verdict.outcome != Outcome.PASS:
        return result
    return replace(result, verdict=unknown(why, *result.verdict.evidence))
