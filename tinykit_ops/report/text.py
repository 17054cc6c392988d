"""The report for people: grouped by area, with evidence, and the remedy of what is wrong.

In a pipe, or with NO_COLOR, it is plain text.
"""

from __future__ import annotations

import io
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.runner import InstanceReport, Report, Result

NAME = "text"
_MARKS = {
    Outcome.PASS: ("pass   ", "green"),
    Outcome.FAIL: ("FAIL   ", "bold red"),
    Outcome.UNKNOWN: ("unknown", "yellow"),
}
_SHOWN = 4  #: lines of evidence of a passed check; findings show all


def render(report: Report) -> str:
    """The report as plain text of 100 columns."""
    page = io.StringIO()
    show(report, Console(file=page, width=100, color_system=None, legacy_windows=False))
    return page.getvalue()


def show(report: Report, console: Console, *, debug: bool = False) -> None:
    """Print the report.

    Args:
        console: where to; decides about colours and width.
        debug: also print the tracebacks of checks that broke.
    """
    for instance in report.instances:
        _show_instance(instance, console, debug)
    _show_summary(report, console)


def _show_instance(instance: InstanceReport, console: Console, debug: bool) -> None:
    _line(console, 0, Text(instance.target, "bold"))
    for remark in instance.remarks:
        _line(console, 2, Text(f"note: {remark}", "yellow"))
    for area, results in groupby(instance.results, lambda result: result.check.area):
        console.print()
        _line(console, 0, Text(area.value, "bold"))
        for result in results:
            _show_result(result, console, debug)
    console.print()


def _show_result(result: Result, console: Console, debug: bool) -> None:
    outcome, check = result.verdict.outcome, result.check
    mark, style = _MARKS[outcome]
    severity = f"  [{check.severity.value}]" if outcome == Outcome.FAIL else ""
    _line(console, 2, Text.assemble((mark, style), "  ", check.title, (severity, style)))
    _line(console, 11, Text(check.id, "dim"))
    evidence = result.verdict.evidence
    shown = evidence[:_SHOWN] if outcome == Outcome.PASS else evidence
    for line in shown:
        _line(console, 11, Text(f"- {line}"))
    if len(evidence) > len(shown):
        _line(console, 11, Text(f"- and {len(evidence) - len(shown)} more", "dim"))
    if outcome == Outcome.FAIL:
        for way, text in check.remedy.items():
            _line(console, 11, Text(f"remedy ({way}):", "cyan"))
            _line(console, 13, Text(text.replace("\t", "    ")))
    if debug and result.bug:
        _line(console, 11, Text(result.bug, "red"))


def _show_summary(report: Report, console: Console) -> None:
    counts = {outcome: report.count(outcome) for outcome in Outcome}
    words = Text.assemble(
        (f"{counts[Outcome.PASS]} passed", "green"),
        ", ",
        (f"{counts[Outcome.FAIL]} failed", "bold red" if counts[Outcome.FAIL] else ""),
        ", ",
        (f"{counts[Outcome.UNKNOWN]} unknown", "yellow" if counts[Outcome.UNKNOWN] else ""),
    )
    requests = sum(instance.requests for instance in report.instances)
    seconds = max((instance.seconds for instance in report.instances), default=0.0)
    _line(console, 0, words + Text(f"  ({requests} requests, {seconds:.1f} s)", "dim"))


def _line(console: Console, indent: int, text: Text) -> None:
    console.print(Padding(text, (0, 0, 0, indent)), highlight=False, markup=False)
