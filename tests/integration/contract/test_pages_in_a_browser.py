"""The pages in a real browser: the requests that they send, with the headers of tinykit's pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from contract_kit import EMAIL, PASSWORD, App
from playwright.sync_api import Page, Request, expect, sync_playwright
from shut_in import chromium_inside, reachable_inside
from waiting import PATIENCE, until

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Browser:
    """A page, and what it asked the server."""

    page: Page
    app: App
    asked: list[Request] = field(default_factory=list)

    def note(self, request: Request) -> None:
        self.asked.append(request)

    def go(self, path: str) -> None:
        self.page.goto(self.app.instance.url + path)

    def request(self, method: str, part: str) -> Request:
        """The last request to an address with `part` in it."""
        found = [one for one in self.asked if one.method == method and part in one.url]
        assert found, f"no {method} {part}"
        return found[-1]

    def sign_in(self) -> None:
        self.go("/login")
        self.page.fill("#email", EMAIL)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Projects")).to_be_visible()


@pytest.fixture
def browser(start: Callable[..., App], tmp_path: Path) -> Iterator[Browser]:
    app = start(environment={"PROTOCOL_HEADER": "x-forwarded-proto"})
    namespace, port = app.instance.namespace, urlsplit(app.instance.url).port
    with sync_playwright() as playwright, reachable_inside(namespace, port or 0):
        milliseconds = PATIENCE * 1000
        chromium = playwright.chromium.launch(
            executable_path=chromium_inside(namespace, tmp_path), args=FLAGS, timeout=milliseconds
        )
        expect.set_options(timeout=milliseconds)
        context = chromium.new_context(extra_http_headers={"x-forwarded-proto": "http"})
        context.set_default_timeout(milliseconds)
        browser = Browser(context.new_page(), app)
        browser.page.on("request", browser.note)
        yield browser
        chromium.close()


def test_setup_in_the_browser_claims_and_signs_in(browser: Browser) -> None:
    browser.go("/")
    page = browser.page
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.fill("#confirm_password", "something else")
    page.get_by_role("button", name="Complete setup").click()
    expect(page.get_by_role("status")).to_have_text("Passwords do not match")
    page.fill("#confirm_password", PASSWORD)
    page.get_by_role("button", name="Complete setup").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    stored = page.evaluate("localStorage.getItem('pocketbase_auth')")
    assert json.loads(stored)["record"]["email"] == EMAIL


def test_a_visitor_without_an_account_is_sent_to_login_by_the_page_alone(browser: Browser) -> None:
    browser.app.claim()
    browser.go("/tinykit")
    browser.page.wait_for_url("**/login")


def test_a_wrong_password_is_told(browser: Browser) -> None:
    browser.app.claim()
    browser.go("/login")
    browser.page.fill("#email", EMAIL)
    browser.page.fill("#password", "wrong")
    browser.page.get_by_role("button", name="Sign in").click()
    expect(browser.page.get_by_role("status")).to_have_text("Failed to authenticate.")


def test_a_project_is_made_published_and_exported(browser: Browser, tmp_path: Path) -> None:
    browser.app.claim()
    browser.sign_in()
    page = browser.page
    page.get_by_role("link", name="New project").click()
    page.fill("#name", "Ada's notes")
    page.fill("#domain", "127.0.0.1")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/tinykit/studio?id=*")
    page.fill("#code", "<h1 id=hello>Hello</h1>")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.frame_locator("#preview").locator("#hello")).to_have_text("Hello")
    assert page.locator("#preview").get_attribute("sandbox") == (
        "allow-scripts allow-forms allow-modals allow-popups allow-same-origin"
    )
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_have_text("Published")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    exported = json.loads(Path(download.value.path()).read_text())
    assert exported["frontend_code"] == "<h1 id=hello>Hello</h1>"

    build = browser.request("POST", "/build")
    assert build.headers["authorization"].startswith("Bearer ")
    assert "authorization" not in browser.request("GET", "/export").headers
    saved = browser.request("PATCH", "/_pb/api/collections/_tk_projects/records/")
    assert not saved.headers["authorization"].startswith("Bearer ")
    oracle = browser.request("POST", "/api/auth/save-server-credentials")
    assert json.loads(oracle.post_data or "")["password"] == PASSWORD

    browser.go("/")
    expect(page.locator("#hello")).to_have_text("Hello")


def test_an_upload_and_a_change_from_elsewhere_show_up(browser: Browser, tmp_path: Path) -> None:
    browser.app.publish()
    browser.sign_in()
    page = browser.page
    page.get_by_role("link", name="My app").click()
    note = tmp_path / "note.txt"
    note.write_text("a note")
    page.set_input_files("#upload", note)
    expect(page.get_by_role("status")).to_contain_text("Uploaded note_")
    path, news = f"/_tk/data/{browser.app.project}/news", {"id": "n", "text": "from elsewhere"}
    browser.app.post(path, news)

    def shows_up() -> bool:
        """Changed again and again: nobody sees when the page has subscribed to changes."""
        browser.app.ask("PATCH", f"{path}/n", json=news)
        page.wait_for_timeout(500)
        return "from elsewhere" in (page.locator("#data").text_content() or "")

    until(shows_up, "the change")


def test_a_published_app_reads_and_writes_its_data_and_listens(browser: Browser) -> None:
    app = browser.app
    app.publish()
    browser.sign_in()
    page = browser.page
    page.get_by_role("link", name="My app").click()
    show = "list.textContent = JSON.stringify(data.notes)"
    code = f"<p id=list></p><script>tk.watch((data) => {{ {show} }})</script>"
    page.fill("#code", code)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_have_text("Published")
    page.fill("#domain", "127.0.0.1")
    page.get_by_role("button", name="Save domain").click()
    expect(page.get_by_role("status")).to_have_text("Domain saved")
    browser.go(f"/tinykit/preview/{app.project}")
    made = page.evaluate("tk.create('notes', { text: 'from the page' })")
    assert made["text"] == "from the page"

    def shows_up() -> bool:
        """Changed again and again: nobody sees when the server has subscribed to changes."""
        path = f"/_tk/data/{app.project}/notes/{made['id']}"
        app.ask("PATCH", path, json={"text": "from the page"})
        page.wait_for_timeout(500)
        return "from the page" in (page.locator("#list").text_content() or "")

    until(shows_up, "the note")
    assert len(page.evaluate("tk.list('notes')")) == 1


def test_settings_are_saved_and_come_back_masked(browser: Browser) -> None:
    browser.app.claim()
    browser.sign_in()
    browser.page.get_by_role("link", name="Settings").click()
    browser.page.fill("#api_key", "sk-0123456789")
    browser.page.get_by_role("button", name="Save").click()
    expect(browser.page.get_by_role("status")).to_have_text("Saved")
    browser.page.reload()
    expect(browser.page.locator("form#settings")).to_contain_text("•6789")
