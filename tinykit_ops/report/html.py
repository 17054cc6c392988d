"""The report as one HTML file that a person would send to a customer.

It holds everything that it shows: no script, no font, no picture, no request to anywhere, and a
content security policy that allows nothing but its own style sheet. What servers and hosts said
is escaped by the template, always.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from tinykit_ops import __version__
from tinykit_ops.checks.model import Area, Outcome
from tinykit_ops.checks.runner import InstanceReport, Report, Result
from tinykit_ops.report.words import BY_URGENCY, by_severity, headline, worst_first

if TYPE_CHECKING:
    from jinja2 import Template

NAME = "html"
PAGE = Path(__file__).parent / "page"
#: A word and a sign for each outcome, so that colour is never the only difference.
MARKS = {
    Outcome.FAIL: ("Finding", "✕"),
    Outcome.UNKNOWN: ("Unknown", "?"),
    Outcome.WAIVED: ("Accepted", "~"),
    Outcome.PASS: ("Passed", "✓"),
}


@dataclass(frozen=True)
class AreaRow:
    """One area of an instance.

    Attributes:
        area: its word in ids.
        title: its name for people.
        counts: how many results have each outcome, the most urgent first.
    """

    area: str
    title: str
    results: Sequence[Result]
    counts: Sequence[tuple[Outcome, int]]


def render(report: Report) -> str:
    """One document."""
    style = (PAGE / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(
        report=report,
        headline=headline(report),
        headline_of=lambda instance: headline(instance, baseline=report.baseline),
        mood=_mood(report),
        moods=_mood,
        areas=areas,
        marks=MARKS,
        outcomes=BY_URGENCY,
        outcome=Outcome,
        worst_first=worst_first,
        by_severity=by_severity,
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=digest,
        version=__version__,
        utc=UTC,
    )


@cache
def _template() -> Template:
    # Looking for the formats imports this module for every `check`; few of them want a page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(PAGE)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    return environment.get_template("report.html.j2")


def prose(text: str) -> Markup:
    """Our own sentences: what stands between backticks in them is code."""
    parts = text.split("`")
    marked = [
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def areas(instance: InstanceReport) -> list[AreaRow]:
    """The areas of an instance, in the order of the checklist."""
    return [
        _area(name, list(results))
        for name, results in groupby(instance.results, lambda result: result.check.area)
    ]


def _area(area: Area, results: Sequence[Result]) -> AreaRow:
    found = [result.verdict.outcome for result in results]
    counts = [(outcome, found.count(outcome)) for outcome in BY_URGENCY]
    title = "HTTPS" if area == Area.HTTPS else area.value.capitalize()
    return AreaRow(area.value, title, results, counts)


def _mood(report: Report | InstanceReport) -> str:
    """The outcome that colours the summary."""
    instances = report.instances if isinstance(report, Report) else (report,)
    found = {each.verdict.outcome for one in instances for each in one.results}
    if Outcome.FAIL in found:
        return Outcome.FAIL.value
    return Outcome.UNKNOWN.value if Outcome.UNKNOWN in found or not found else Outcome.PASS.value
