"""What the builder's team and a stranger can do with a browser, behind each of the gates."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.lab

UPLOAD_BYTES = 1_500_000  # tinykit alone refuses more than 512 KB
REFUSAL = {"account": 401, "allowlist": 403}
BUILDER_API = ("/api/projects", "/_pb/api/collections/_tk_projects/records", "/_pb/api/health")


def test_the_way_into_the_builder_is_closed_for_a_stranger(site):
    page = site.stranger.context.new_page()
    if site.gate == "account":
        page.goto(f"https://{site.domain}/tinykit")
        assert page.url == f"https://{site.domain}/login"
        expect(page.locator("#login")).to_be_visible()
    else:
        page.goto(f"https://{site.domain}/_tk/assets/placeholder.jpg")
        assert site.stranger.answers("/tinykit", "/login") == {"/tinykit": 403, "/login": 403}
    refused = site.stranger.answers(*BUILDER_API)
    assert set(refused.values()) == {REFUSAL[site.gate]}, refused


def test_a_wrong_password_gets_no_further(site):
    page = site.team.open("/login")
    page.fill("#email", "admin@lab.test")
    page.fill("#password", "not the password")
    page.click("#login button[type=submit]")
    expect(page.locator("#message")).to_contain_text("Failed to authenticate")
    assert site.team.context.cookies() == []
    page.close()
    site.team.saw.forget(400)


def test_logging_in_leaves_a_cookie_that_scripts_cannot_read(site, dashboard):
    (cookie,) = site.team.context.cookies()
    assert cookie["name"] == "__Host-tinykit_ops"
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
    assert dashboard.evaluate("document.cookie") == ""


def test_a_page_of_the_builder_can_be_opened_anew(site, dashboard):
    for path in ("/tinykit", "/tinykit/settings"):
        page = site.team.open(path)
        page.wait_for_selector("h1")
        assert page.url == f"https://{site.domain}{path}"
        page.close()


def test_the_domain_of_the_inventory_is_offered_for_publishing(site, studio):
    offered = studio.page.locator(f"#seen option[value='{site.domain}']")
    expect(offered).to_be_attached()


def test_an_app_is_edited_previewed_and_published_for_everybody(site, published):
    page = site.stranger.open("/")
    expect(page.locator("h1")).to_have_text("Notes")
    assert page.title() == f"Notes behind {site.gate}"
    page.close()


def test_a_visitors_data_reaches_other_visitors_and_the_studio_without_a_reload(site, published):
    watcher, writer = site.stranger.open("/"), site.stranger.open("/")
    watcher.wait_for_selector("body.live")
    writer.fill("#text", "hello from outside")
    writer.click("#form button")
    expect(watcher.locator("#notes li")).to_have_text("hello from outside")
    expect(published.page.locator("#data")).to_contain_text("hello from outside")
    writer.reload()
    expect(writer.locator("#notes li")).to_have_text("hello from outside")
    watcher.close()
    writer.close()


def test_the_export_button_downloads_the_project(site, published):
    with published.page.expect_download() as download:
        published.page.click("#export")
    assert download.value.suggested_filename == f"notes-behind-{site.gate}-export.json"
    exported = json.loads(Path(download.value.path()).read_text())
    assert "<h1>Notes</h1>" in exported["frontend_code"]
    path = f"/api/projects/{published.project}/export"
    assert site.stranger.answers(path) == {path: REFUSAL[site.gate]}


def test_the_preview_opens_for_the_team_only(site, published):
    path = f"/tinykit/preview/{published.project}"
    page = site.team.open(path)
    expect(page.locator("h1")).to_have_text("Notes")
    page.close()
    expected = 200 if site.gate == "account" else 403  # 200 is the login page's
    assert site.stranger.answers(path) == {path: expected}
    if site.gate == "account":
        page = site.stranger.open(path)
        assert page.url == f"https://{site.domain}/login"


def test_a_large_file_is_uploaded_and_everybody_gets_it_back(site, published):
    content = os.urandom(UPLOAD_BYTES)
    file = {"name": "noise.bin", "mimeType": "application/octet-stream", "buffer": content}
    published.page.set_input_files("#upload", files=[file])
    message = published.page.locator("#message")
    expect(message).to_contain_text("Uploaded noise")
    name = message.inner_text().removeprefix("Uploaded ")
    page = site.stranger.open("/")
    got = page.evaluate(DIGEST, f"/_tk/assets/{published.project}/{name}")
    page.close()
    assert got == hashlib.sha256(content).hexdigest()


def test_set_up_and_the_edges_own_routes_are_closed_for_the_team_as_well(site, dashboard):
    closed = ("/setup", "/_pb/api/tinykit-ops/judge/users")
    assert site.team.answers(*closed) == dict.fromkeys(closed, 404)
    site.team.saw.forget(404)


def test_pocketbases_dashboard_opens_for_trusted_addresses_only(site, dashboard):
    assert site.stranger.answers("/_pb/_/", "/_pb/api/settings") == {
        "/_pb/_/": 403,
        "/_pb/api/settings": 403,
    }
    if site.gate == "account":  # an account of the builder proves nothing here
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
    assert site.team.context.cookies() == []
    if site.gate == "account":
        page.goto(f"https://{site.domain}/tinykit/preview/{published.project}")
        assert page.url == f"https://{site.domain}/login"
        path = f"/api/projects/{published.project}/export"
        assert site.team.answers(path) == {path: 401}


DIGEST = """async (path) => {
  const body = await (await fetch(path)).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}"""
