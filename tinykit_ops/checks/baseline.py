"""What is new and what is fixed since an older report, and nothing else.

Findings are told apart by instance and check id. A check that saw something then and cannot look
now is new as well (unknown), so a finding never counts as fixed because nobody could see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.errors import AccessError, UsageError
from tinykit_ops.report import json_format

_HINT = "make one with `tinykit-ops check … --save FILE`"
#: What must have been seen then for an outcome of now to be nothing new.
_KNOWN = {
    Outcome.FAIL: {Outcome.FAIL},
    Outcome.UNKNOWN: {Outcome.UNKNOWN},
}


def read_baseline(path: Path) -> Report:
    """A whole report that `check --save` or `--format json` wrote.

    Raises:
        UsageError: there is none, or it tells only differences itself.
        AccessError: this user may not read it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except PermissionError:
        raise AccessError("This user may not read the baseline", where=str(path)) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(
            f"The baseline cannot be read: {reason}", where=str(path), hint=_HINT
        ) from None
    try:
        report = json_format.parse(text, str(path))
    except json_format.BadReport as error:
        raise UsageError(error.what, where=str(path), hint=_HINT) from None
    if report.baseline:
        raise UsageError(
            "This report tells only what was new and fixed, so it is no baseline",
            where=str(path),
            hint=_HINT,
        )
    return report


def compare(report: Report, baseline: Report, name: str) -> Report:
    """A report of what is new and fixed.

    Args:
        baseline: the older one.
        name: how the report calls it.
    """
    then = {instance.target: instance for instance in baseline.instances}
    instances = (_compare_one(each, then.get(each.target)) for each in report.instances)
    return replace(report, instances=tuple(instances), baseline=name)


def _compare_one(now: InstanceReport, then: InstanceReport | None) -> InstanceReport:
    if then is None:
        remark = "The baseline does not know this instance: everything counts as new."
        bad = tuple(each for each in now.results if each.verdict.outcome in _KNOWN)
        return replace(now, results=bad, remarks=(*now.remarks, remark))
    before = {each.check.id: each.verdict.outcome for each in then.results}
    new = tuple(each for each in now.results if _is_new(each, before))
    fixed = tuple(each for each in now.results if _is_fixed(each, before))
    return replace(now, results=new, fixed=fixed)


def _is_new(result: Result, before: Mapping[str, Outcome]) -> bool:
    known = _KNOWN.get(result.verdict.outcome)
    return known is not None and before.get(result.check.id) not in known


def _is_fixed(result: Result, before: Mapping[str, Outcome]) -> bool:
    was_bad = before.get(result.check.id) in {Outcome.FAIL, Outcome.WAIVED}
    return was_bad and result.verdict.outcome == Outcome.PASS
