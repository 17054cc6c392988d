"""The report as Markdown, for issues and merge requests.

Everything that servers and hosts said stands in code spans, where it is shown and never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.report.words import BY_URGENCY, counted, headline, worst_first

NAME = "markdown"
_TITLES = {
    Outcome.FAIL: "Findings",
    Outcome.UNKNOWN: "Could not be looked at",
    Outcome.WAIVED: "Accepted findings",
    Outcome.PASS: "Passed",
}
_SPECIAL = re.compile(r"([\\*_{}\[\]()<>#+!|~&$@:-])")


def render(report: Report) -> str:
    """One document (CommonMark; GitHub and GitLab show it)."""
    lines = ["# tinykit security check", "", f"**{_escaped(headline(report))}.**"]
    for instance in report.instances:
        lines += ["", *_instance(instance, report.baseline)]
    return "\n".join(lines) + "\n"


def _instance(instance: InstanceReport, baseline: str) -> Iterator[str]:
    yield f"## {code(instance.target)}"
    yield ""
    when = instance.started.strftime("%Y-%m-%d %H:%M %Z")
    requests = f"{instance.requests} request{'s' * (instance.requests != 1)}"
    counts = ", ".join(f"{number} {word}" for _, number, word in counted(instance))
    yield f"{_escaped(headline(instance, baseline=baseline)) if baseline else counts}."
    yield f"Looked at {when} with tinykit-ops {code(instance.version)}, {requests} sent."
    yield from _quoted(instance.remarks)
    for outcome in BY_URGENCY:
        if results := worst_first(instance, outcome):
            yield from _section(_TITLES[outcome], results)
    if instance.fixed:
        yield from _section("Fixed", instance.fixed)


def _quoted(remarks: Iterable[str]) -> Iterator[str]:
    for remark in remarks:
        yield ""
        yield f"> Note: {code(remark)}"


def _section(title: str, results: Iterable[Result]) -> Iterator[str]:
    yield ""
    yield f"### {title}"
    for result in results:
        yield ""
        yield from _result(result)


def _result(result: Result) -> Iterator[str]:
    check, outcome = result.check, result.verdict.outcome
    severity = f", {check.severity.value}" if outcome in {Outcome.FAIL, Outcome.WAIVED} else ""
    yield f"- **{_escaped(check.title)}** ({code(check.id)}{severity})"
    if result.waiver:
        yield f"  - Waived until {result.waiver.until}: {code(result.waiver.reason)}"
    for line in result.verdict.evidence:
        yield f"  - {code(line)}"
    if outcome == Outcome.FAIL:
        for way, text in check.remedy.items():
            yield from _remedy(way, text.expandtabs(4))


def _remedy(way: str, text: str) -> Iterator[str]:
    if "\n" not in text:
        yield f"  - Remedy ({way}): {_prose(text)}"
        return
    fence = "`" * max(3, _longest_run(text) + 1)
    yield f"  - Remedy ({way}):"
    yield ""
    yield from (f"    {line}".rstrip() for line in (fence, *text.split("\n"), fence))
    yield ""


def code(text: str) -> str:
    """A code span that holds this text, whatever is in it."""
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text[:1] in {"`", " "} or text[-1:] in {"`", " "} else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _prose(text: str) -> str:
    """Our own sentences: code spans in them stay, the rest is escaped."""
    parts = text.split("`")
    return "".join(
        f"`{part}`" if number % 2 else _escaped(part) for number, part in enumerate(parts)
    )


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("`", r"\`")
