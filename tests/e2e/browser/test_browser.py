"""What the builder's team and a stranger can do with a browser, in each of the modes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from browser_support import LOGIN_COOKIE
from modes import LOGIN_PAGE
from playwright.sync_api import expect
from tests_e2e_support import until

pytestmark = pytest.mark.lab

UPLOAD_BYTES = 5_000_000  # tinykit alone refuses more than 512 KB
BUILDER_API = ("/api/projects", "/_pb/api/collections/_tk_projects/records", "/_pb/api/health")


def test_the_way_into_the_builder_is_closed_for_a_stranger(site):
    mode = site.mode
    if mode.strangers_page == LOGIN_PAGE:
        page = site.stranger.open("/tinykit")
        assert page.url == f"{site.stranger.builder}/login"
        expect(page.locator("#login")).to_be_visible()
    else:
        assert site.stranger.answers("/tinykit", "/login") == {
            "/tinykit": mode.strangers_page,
            "/login": mode.strangers_door,
        }
    refused = site.stranger.answers(*BUILDER_API)
    assert set(refused.values()) == {mode.strangers_call}, refused


def test_a_published_origin_of_its_own_knows_nothing_of_the_builder(site):
    if not site.mode.apart:
        assert site.team.builder == site.team.published
        return
    paths = ("/tinykit", "/login", *BUILDER_API, "/_pb/_/", "/api/setup")
    assert site.team.answers_on_published(*paths) == dict.fromkeys(paths, 404)
    site.team.saw.forget(404)


def test_a_wrong_password_gets_no_further(site):
    page = site.team.open("/login")
    page.fill("#email", "admin@lab.test")
    page.fill("#password", "not the password")
    page.click("#login button[type=submit]")
    expect(page.locator("#message")).to_contain_text("Failed to authenticate")
    assert LOGIN_COOKIE not in site.team.cookies()
    page.close()
    site.team.saw.forget(400)
    if site.mode.team_types_password:
        site.team.saw.forget(401)  # the question for the other password, once


def test_logging_in_leaves_a_cookie_that_scripts_cannot_read(site, dashboard):
    expected = {LOGIN_COOKIE, *([f"{LOGIN_COOKIE}_basic"] if site.mode.team_types_password else [])}
    assert site.team.cookies() == expected
    for cookie in site.team.context.cookies():
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
    assert dashboard.evaluate("document.cookie") == ""


def test_a_page_of_the_builder_can_be_opened_anew(site, dashboard):
    for path in ("/tinykit", "/tinykit/settings"):
        page = site.team.open(path)
        page.wait_for_selector("h1")
        assert page.url == f"{site.team.builder}{path}"
        page.close()


def test_the_domain_of_the_inventory_is_offered_for_publishing(site, studio):
    offered = studio.page.locator(f"#seen option[value='{site.mode.domain}']")
    expect(offered).to_be_attached()


def test_an_app_is_edited_previewed_and_published_for_everybody(site, published):
    page = site.stranger.visit()
    expect(page.locator("h1")).to_have_text("Notes")
    assert page.title() == f"Notes {site.mode.name}"
    page.close()


def test_a_visitors_data_reaches_other_visitors_and_the_studio_without_a_reload(site, published):
    watcher, writer = site.stranger.visit(), site.stranger.visit()
    watcher.wait_for_selector("body.live")
    # tinykit says so a moment before it listens to PocketBase; a note that comes too soon is seen
    # with the next one.
    notes = watcher.locator("#notes li")
    assert until(lambda: add_note(writer, "is anybody there?") and notes.count() > 0, pause=1)
    add_note(writer, "hello from outside")
    expect(notes.filter(has_text="hello from outside")).to_have_count(1)
    expect(published.page.locator("#data")).to_contain_text("hello from outside")
    writer.reload()
    kept = writer.locator("#notes li").filter(has_text="hello from outside")
    expect(kept).to_have_count(1)
    watcher.close()
    writer.close()


def add_note(page, text):
    """As a visitor, until the server has it."""
    page.fill("#text", text)
    with page.expect_response(lambda answer: answer.request.method == "POST") as written:
        page.click("#form button")
    return written.value.ok


def test_the_export_button_downloads_the_project(site, published):
    with published.page.expect_download() as download:
        published.page.click("#export")
    assert download.value.suggested_filename == f"notes-{site.mode.name}-export.json"
    exported = json.loads(Path(download.value.path()).read_text())
    assert "<h1>Notes</h1>" in exported["frontend_code"]
    path = f"/api/projects/{published.project}/export"
    assert site.stranger.answers(path) == {path: site.mode.strangers_call}


def test_the_preview_opens_for_the_team_only(site, published):
    path = f"/tinykit/preview/{published.project}"
    page = site.team.open(path)
    expect(page.locator("h1")).to_have_text("Notes")
    page.close()
    if site.mode.strangers_page == LOGIN_PAGE:
        assert site.stranger.open(path).url == f"{site.stranger.builder}/login"
    else:
        assert site.stranger.answers(path) == {path: site.mode.strangers_page}


def test_what_is_written_in_the_preview_is_kept(site, published):
    frame = published.page.frame_locator("#preview")
    frame.locator("#text").fill("hello from the preview")
    frame.locator("#form button").click()
    expect(published.page.locator("#data")).to_contain_text("hello from the preview")


def test_a_large_file_is_uploaded_and_everybody_gets_it_back(site, published):
    content = os.urandom(UPLOAD_BYTES)
    file = {"name": "noise.bin", "mimeType": "application/octet-stream", "buffer": content}
    published.page.set_input_files("#upload", files=[file])
    message = published.page.locator("#message")
    expect(message).to_contain_text("Uploaded noise")
    name = message.inner_text().removeprefix("Uploaded ")
    page = site.stranger.visit()
    got = page.evaluate(DIGEST, f"/_tk/assets/{published.project}/{name}")
    page.close()
    assert got == hashlib.sha256(content).hexdigest()


def test_set_up_and_the_edges_own_routes_are_closed_for_the_team_as_well(site, dashboard):
    closed = ("/setup", "/_pb/api/tinykit-ops/judge")
    assert site.team.answers(*closed) == dict.fromkeys(closed, 404)
    site.team.saw.forget(404)


def test_pocketbases_dashboard_opens_for_trusted_addresses_only(site, dashboard):
    assert site.stranger.answers("/_pb/_/", "/_pb/api/settings") == {
        "/_pb/_/": 403,
        "/_pb/api/settings": 403,
    }
    if "allowlist" not in site.mode.require:  # what opens the builder proves nothing here
        assert site.team.answers("/_pb/_/") == {"/_pb/_/": 403}
        site.team.saw.forget(403)
    else:
        page = site.team.open("/_pb/_/")
        expect(page.get_by_role("button", name="Login")).to_be_visible()
        expect(page.locator("input[type=email]")).to_be_visible()
        page.close()


def test_nothing_was_refused_or_broken_on_the_teams_way(site, published):
    published.page.reload()
    expect(published.page.locator("#code")).to_be_visible()
    assert site.team.saw.refused == []
    assert site.team.saw.errors == []


def test_signing_out_closes_what_the_cookie_opened(site, published):
    page = site.team.open("/tinykit")
    page.click("#logout")
    expect(page.locator("#login")).to_be_visible()
    assert LOGIN_COOKIE not in site.team.cookies()
    if site.mode.require == ("account",):
        page.goto(f"{site.team.builder}/tinykit/preview/{published.project}")
        assert page.url == f"{site.team.builder}/login"
        path = f"/api/projects/{published.project}/export"
        assert site.team.answers(path) == {path: 401}


DIGEST = """async (path) => {
  const body = await (await fetch(path)).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}"""
