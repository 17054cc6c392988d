"""One provisioned host in each of the modes, and the people who come with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from browser_support import CHROMIUM, PATIENCE_MS, Browsers, Visitor, visitor
from modes import Mode, chosen
from playwright.sync_api import Page, Response, expect, sync_playwright
from tests_e2e_support import Provisioner

from tinykit_ops import layout
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

LAB = "e2e-browser"
HOST = "tk-1"
MODES = chosen()


@dataclass(frozen=True)
class Site:
    """The host in one mode, as two people see it.

    The team's browser comes over IPv4, the stranger's over IPv6; the allowlist, where the gate has
    one, holds the IPv4 address only.
    """

    mode: Mode
    password: str  #: of the first account
    team: Visitor
    stranger: Visitor


@dataclass(frozen=True)
class Studio:
    """The team's tab with a project."""

    page: Page
    project: str


@pytest.fixture(scope="session")
def browser_lab() -> Iterator[Lab]:
    """One bare Debian 13, an outside client and an S3 server."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: run scripts/setup (apt-get install chromium)")
    lab = Lab.up(LAB, releases=("13",), progress=print)
    yield lab
    lab.down()


@pytest.fixture(scope="session")
def provision(browser_lab, tmp_path_factory):
    """Brings the host with the contract app into a mode: provision(MODES[0])."""
    app = build_contract_release(tmp_path_factory.mktemp("stand-in")).archive
    provisioner = Provisioner(browser_lab, app, tmp_path_factory.mktemp("inventories"))

    def provision(mode: Mode) -> None:
        trusted = [browser_lab.outside.address4] if "allowlist" in mode.require else []
        overrides = {
            "domains": [each.domain for each in MODES],
            "builder_domain": mode.builder if mode.apart else None,
            "access": {
                "builder": {"require": list(mode.require), "match": mode.match},
                "allowlist": trusted,
            },
            "edge": {"kind": mode.proxy},
            # One person tries a wrong password in every mode, from one address.
            "bans": {"enabled": False},
        }
        run = provisioner.deploy(provisioner.inventory({HOST: "root"}, overrides))
        assert run.code == 0, run.text[-3000:]

    return provision


@pytest.fixture(scope="session")
def browsers(browser_lab, tmp_path_factory) -> Iterator[Browsers]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        folder = tmp_path_factory.mktemp("chromium")
        yield Browsers(playwright, browser_lab, browser_lab.host(HOST), folder)


@pytest.fixture(scope="module", params=MODES, ids=lambda mode: mode.name)
def site(request, provision, browsers, browser_lab) -> Iterator[Site]:
    """The host in each of the modes, one after the other."""
    mode, host = request.param, browser_lab.host(HOST)
    provision(mode)
    domains = list(dict.fromkeys((mode.builder, mode.domain)))
    secret = host.ssh(["cat", f"{layout.SECRETS_DIR}/{layout.BASIC_PASSWORD}"]).stdout.strip()
    basic = ("builder", secret) if "basic" in mode.require else None
    with (
        browsers.start(domains, host.address4) as trusted,
        browsers.start(domains, host.address6) as unknown,
    ):
        password = browser_lab.admin_password.read_text().strip()
        team = visitor(trusted, mode.builder, mode.domain, basic)
        yield Site(mode, password, team, visitor(unknown, mode.builder, mode.domain))


@pytest.fixture(scope="module")
def dashboard(site) -> Page:
    """The team's tab after logging in."""
    page = site.team.log_in(site.password)
    if site.mode.team_types_password:
        site.team.saw.forget(401)  # the question for the password, once
    return page


def listens(answer: Response) -> bool:
    """Is this what tells a page that PocketBase keeps it informed?"""
    return answer.request.method == "POST" and answer.url.endswith("/_pb/api/realtime")


@pytest.fixture(scope="module")
def studio(site, dashboard) -> Studio:
    """A project, made in the builder, on no domain yet."""
    dashboard.click("#new")
    dashboard.fill("#name", f"Notes {site.mode.name}")
    dashboard.fill("#domain", "")
    with dashboard.expect_response(listens):  # to what others change, or it would miss that
        dashboard.click("#create button[type=submit]")
    dashboard.wait_for_url("**/tinykit/studio?id=*")
    dashboard.wait_for_selector("#code")
    return Studio(dashboard, dashboard.url.rpartition("=")[2])


@pytest.fixture(scope="module")
def published(site, studio) -> Studio:
    """The project with an app that visitors write to, published on the site's domain."""
    studio.page.fill("#domain", site.mode.domain)
    studio.page.click("#domain-form button")
    studio.page.get_by_text("Domain saved").wait_for()
    studio.page.fill("#code", APP)
    studio.page.click("#save")
    studio.page.frame_locator("#preview").locator("#notes").wait_for(state="attached")
    studio.page.click("#publish")
    studio.page.get_by_text("Published", exact=True).wait_for()
    return studio


APP = """
<h1>Notes</h1>
<form id="form"><input id="text" /><button>Add</button></form>
<ul id="notes"></ul>
<script>
  const item = ({ text }) => Object.assign(document.createElement('li'), { textContent: text });
  const draw = (records) => document.getElementById('notes').replaceChildren(...records.map(item));
  tk.list('notes').then(draw);
  tk.watch(({ notes }) => draw(notes.records)).onopen = () => document.body.classList.add('live');
  document.getElementById('form').onsubmit = (event) => {
    event.preventDefault();
    tk.create('notes', { text: document.getElementById('text').value });
  };
</script>
"""
