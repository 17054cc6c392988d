"""The HTML report as a document: self-contained, in order, and readable by everybody."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

import pytest
from report_samples import all_passed, differences, hostile, real

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.runner import Report
from tinykit_ops.report import html

STYLE = (html.PAGE / "report.css").read_text()
REPORTS = [real(), differences(), hostile(), Report(()), Report((all_passed(),))]
TONES = ("fail", "unknown", "waived", "pass")


def policy(page: str) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert found
    return found[1]


def test_the_policy_allows_its_own_style_sheet_and_nothing_else() -> None:
    page = html.render(real())
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy(page) == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<body>")


def test_the_style_sheet_asks_for_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face|expression", STYLE)


@pytest.mark.parametrize("report", REPORTS)
def test_headings_leave_out_no_level_and_ids_are_unique(report: Report) -> None:
    page = html.render(report)
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("report", REPORTS)
def test_landmarks_language_and_title_are_there(report: Report) -> None:
    page = html.render(report)
    for part in ('<html lang="en">', "<title>Security check", "<header>", '<main id="main">'):
        assert page.count(part) == 1
    assert '<a class="skip" href="#main">' in page


def test_findings_are_open_and_the_rest_is_closed() -> None:
    page = html.render(real())
    assert page.count("<details open>") == real().count(Outcome.FAIL)
    total = sum(len(instance.results) for instance in real().instances)
    assert page.count("<details") == total


def test_an_outcome_is_told_by_a_word_and_not_by_colour_alone() -> None:
    page = html.render(real())
    for outcome, (word, sign) in html.MARKS.items():
        badges = f'<span aria-hidden="true">{sign} </span>{word}</span>'
        assert page.count(badges) == real().count(outcome)


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("start", [":root {", "prefers-color-scheme: dark", "@media print"])
def test_text_has_the_contrast_that_wcag_asks_for(start: str) -> None:
    """4.5 to 1 (AA, text of any size), for every pair that the style sheet puts together."""
    block = STYLE[STYLE.index(start) :]
    found = colours(block[: block.index("}")])
    pairs = [(ink, ground) for ink in ("ink", "soft", "link") for ground in ("page", "card")]
    pairs += [("ink", "code"), ("soft", "code")]
    pairs += [(tone, ground) for tone in TONES for ground in (f"{tone}-bg", "card", "page")]
    faint = {f"{a} on {b}": contrast(found[a], found[b]) for a, b in pairs}
    assert {name: ratio for name, ratio in faint.items() if ratio < 4.5} == {}


def test_our_own_words_between_backticks_are_code() -> None:
    assert html.prose("set `a < b` & go") == "set <code>a &lt; b</code> &amp; go"


def test_an_empty_report_says_that_nothing_was_looked_at() -> None:
    assert "Nothing was looked at" in html.render(Report(()))
