"""The HTML report in real Chromium: nothing is asked for, nothing runs, everybody can read it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from waiting import PATIENCE

sys.path.append(str(Path(__file__).parents[2] / "unit" / "report"))

from report_samples import differences, hostile, real

from tinykit_ops.checks.runner import Report
from tinykit_ops.report import html

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDEST = 2  # pixels that rounding may add


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        milliseconds = PATIENCE * 1000
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=FLAGS, timeout=milliseconds
        )
        expect.set_options(timeout=milliseconds)
        yield browser
        browser.close()


class Shown:
    """A report in a window, and what it tried."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.asked: list[str] = []
        self.said: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())


Show = Callable[..., Shown]


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Show]:
    pages: list[Page] = []

    def start(report: Report, width: int = 1100, **context: str) -> Shown:
        file = tmp_path / "report.html"
        file.write_text(html.render(report))
        viewport = {"width": width, "height": 900}
        pages.append(chromium.new_context(viewport=viewport, **context).new_page())  # type: ignore[arg-type]
        pages[-1].set_default_timeout(PATIENCE * 1000)
        return Shown(pages[-1], file)

    yield start
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("report", [real(), hostile(), differences()])
def test_it_asks_for_nothing_and_runs_nothing(show: Show, report: Report) -> None:
    shown = show(report)
    assert len(shown.asked) == 1
    assert shown.said == []
    assert shown.page.evaluate("document.scripts.length") == 0
    assert shown.page.evaluate("document.styleSheets[0].cssRules.length") > 20


def test_even_a_style_or_script_that_slipped_in_would_do_nothing(show: Show) -> None:
    shown = show(real())
    failed: list[str | None] = []
    shown.page.on("requestfailed", lambda request: failed.append(request.failure))
    with shown.page.expect_event("requestfailed"):
        shown.page.evaluate(
            """() => {
                document.body.insertAdjacentHTML("beforeend",
                    '<img src="https://evil.test/x"><p id="p" style="color: red">x</p>');
                const script = document.createElement("script");
                script.textContent = "window.ran = true";
                document.body.append(script);
            }"""
        )
    assert shown.page.evaluate("window.ran") is None
    assert shown.page.evaluate("getComputedStyle(p).color") != "rgb(255, 0, 0)"
    assert failed == ["csp"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_readers_colour_scheme(show: Show, scheme: str) -> None:
    page = show(real(), color_scheme=scheme).page
    red, *_ = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")
    assert (int(red) > 128) is (scheme == "light")


@pytest.mark.parametrize("width", [320, 768, 1400])
@pytest.mark.parametrize("report", [real(), hostile()])
def test_nothing_is_wider_than_the_window(show: Show, report: Report, width: int) -> None:
    page = show(report, width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width + WIDEST


def test_on_paper_everything_is_shown_and_in_ink(show: Show) -> None:
    page = show(real(), color_scheme="dark").page
    page.emulate_media(media="print")
    hidden = """[...document.querySelectorAll("details .inside")]
        .filter(each => each.getBoundingClientRect().height < 20).length"""
    assert page.evaluate(hidden) == 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_the_keyboard_reaches_and_opens_everything(show: Show) -> None:
    page = show(real()).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    closed = page.locator("details:not([open]) > summary").first
    closed.focus()
    name = closed.inner_text()
    page.keyboard.press("Enter")
    opened = page.locator("details[open] > summary", has_text=name.split("\n")[-1]).first
    expect(opened).to_be_visible()


def test_a_screen_reader_hears_landmarks_headings_and_outcomes(show: Show) -> None:
    page = show(real()).page
    for role, name in (
        ("banner", None),
        ("main", None),
        ("contentinfo", None),
        ("navigation", "Instances"),
        ("region", "https://apps.example.com"),
    ):
        found = page.get_by_role(role, name=name) if name else page.get_by_role(role)  # type: ignore[arg-type]
        assert found.count() >= 1, role
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("columnheader", name="Finding").count() == 2
    heard = page.locator("main").aria_snapshot()
    told = heard[heard.index("Finding\n") :]
    assert told.index("closed to strangers") < told.index("critical") < told.index("What was seen")
    assert "✕" not in heard
