"""The report for people: grouped by area, with evidence, and the remedy of what is wrong.

In a pipe, or with NO_COLOR, it is plain text.
"""

from __future__ import annotations

import io
import textwrap
from itertools import groupby

from rich.console import Console
from rich.text import Text

from tinykit_ops.checks.model import Outcome, clean
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.report.words import counted, headline

NAME = "text"
_MARKS = {
    Outcome.PASS: ("pass   ", "green"),
    Outcome.FAIL: ("FAIL   ", "bold red"),
    Outcome.UNKNOWN: ("unknown", "yellow"),
    Outcome.WAIVED: ("waived ", "cyan"),
}
_WRONG = (Outcome.FAIL, Outcome.WAIVED)
PIPE_WIDTH = 100  #: columns where there is no terminal
_INDENT = 11
_SHOWN = 4  #: lines of evidence of a passed check; findings show all


def render(report: Report) -> str:
    """The report as plain text of 100 columns."""
    page = io.StringIO()
    show(report, Console(file=page, width=PIPE_WIDTH, color_system=None, legacy_windows=False))
    return page.getvalue()


def show(report: Report, console: Console, *, debug: bool = False) -> None:
    """Print the report.

    Args:
        console: where to; decides about colours and width.
        debug: also print the tracebacks of checks that broke.
    """
    for instance in report.instances:
        show_instance(instance, console, debug=debug)
    show_summary(report, console)


def show_instance(instance: InstanceReport, console: Console, *, debug: bool = False) -> None:
    """Print one instance; see `show`."""
    console.print(Text(instance.target, "bold"))
    for remark in instance.remarks:
        _print(console, 2, f"note: {remark}", "yellow")
    for area, results in groupby(instance.results, lambda result: result.check.area):
        console.print()
        console.print(Text(area.value, "bold"))
        for result in results:
            _show_result(result, console, debug)
    if instance.fixed:
        console.print()
        console.print(Text("fixed", "bold"))
        for result in instance.fixed:
            _show_result(result, console, debug)
    console.print()


def _show_result(result: Result, console: Console, debug: bool) -> None:
    outcome, check = result.verdict.outcome, result.check
    mark, style = _MARKS[outcome]
    about = f"  {check.id}, {check.severity.value}" if outcome in _WRONG else f"  {check.id}"
    title = Text.assemble("  ", (mark, style), "  ", check.title, (about, "dim"))
    console.print(title, soft_wrap=True)
    evidence = result.verdict.evidence
    shown = evidence[:_SHOWN] if outcome == Outcome.PASS else evidence
    for line in shown:
        _print(console, _INDENT, f"- {line}")
    if len(evidence) > len(shown):
        _print(console, _INDENT, f"- and {len(evidence) - len(shown)} more", "dim")
    if result.waiver:
        _print(console, _INDENT, str(result.waiver), "cyan")
    if outcome == Outcome.FAIL:
        for way, text in check.remedy.items():
            _print(console, _INDENT, f"remedy ({way}):", "cyan")
            _print_remedy(console, text)
    if debug and result.bug:
        for line in result.bug.splitlines():
            console.print(Text(clean(line), "red"), soft_wrap=True)


def _print_remedy(console: Console, text: str) -> None:
    """Prose is wrapped; configuration, which has several lines, must stay as it is."""
    lines = text.expandtabs(4).split("\n")
    if len(lines) == 1:
        _print(console, _INDENT + 2, text)
    for line in lines if len(lines) > 1 else ():
        console.print(Text(" " * (_INDENT + 2) + line), soft_wrap=True)


def show_summary(report: Report, console: Console) -> None:
    """Print what all of it comes to; of several instances, each one's verdict first."""
    if len(report.instances) > 1:
        for instance in report.instances:
            verdict = headline(instance, baseline=report.baseline)
            console.print(Text(f"{instance.target}: {verdict}"), soft_wrap=True)
        console.print()
    if report.baseline:
        console.print(Text(headline(report), "bold"))
        return
    parts = [
        (f"{number} {word}", _MARKS[outcome][1] if number else "")
        for outcome, number, word in counted(report)
    ]
    words = Text(", ").join(Text(*part) for part in parts)
    requests = sum(instance.requests for instance in report.instances)
    seconds = max((instance.seconds for instance in report.instances), default=0.0)
    console.print(words + Text(f"  ({requests} requests, {seconds:.1f} s)", "dim"))


def _print(console: Console, indent: int, line: str, style: str = "") -> None:
    """Print a line, wrapped and indented."""
    hanging = indent + (2 if line.startswith("- ") else 0)
    wrapped = textwrap.fill(
        line,
        max(console.width, 40),
        initial_indent=" " * indent,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print(Text(wrapped, style), soft_wrap=True)
