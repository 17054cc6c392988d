"""One provisioned host, once behind each gate, and the people who come with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from browser_support import CHROMIUM, Browsers, Visitor, visitor
from playwright.sync_api import Page, sync_playwright
from tests_e2e_support import Provisioner

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab

LAB = "e2e-browser"
HOST = "tk-1"
#: Each gate has a domain of its own, since a domain shows one project only.
DOMAINS = {"account": "apps.lab.test", "allowlist": "shop.lab.test"}


@dataclass(frozen=True)
class Site:
    """The host behind one kind of gate, as two people see it.

    The team's browser comes over IPv4, the stranger's over IPv6; the allowlist, where it is the
    gate, has the IPv4 address only.
    """

    gate: str
    domain: str
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
    """Provisions the host with the contract app, or changes its gate: provision("allowlist")."""
    app = build_contract_release(tmp_path_factory.mktemp("stand-in")).archive
    provisioner = Provisioner(browser_lab, app, tmp_path_factory.mktemp("inventories"))
    done: list[str] = []

    def provision(gate: str) -> None:
        trusted = [browser_lab.outside.address4] if gate == "allowlist" else []
        access = {"builder": {"require": [gate]}, "allowlist": trusted}
        overrides = {"domains": list(DOMAINS.values()), "access": access}
        inventory = provisioner.inventory({HOST: "root"}, overrides)
        for deploy in ("agent.py", "edge.py") if done else ("full.py",):
            run = provisioner.deploy(inventory, deploy=deploy)
            assert run.code == 0, run.text[-3000:]
        done.append(gate)

    return provision


@pytest.fixture(scope="session")
def browsers(browser_lab, tmp_path_factory) -> Iterator[Browsers]:
    with sync_playwright() as playwright:
        folder = tmp_path_factory.mktemp("chromium")
        yield Browsers(playwright, browser_lab, browser_lab.host(HOST), folder)


@pytest.fixture(scope="module", params=list(DOMAINS))
def site(request, provision, browsers, browser_lab) -> Iterator[Site]:
    """The host behind each of the gates, one after the other."""
    provision(request.param)
    domain, host = DOMAINS[request.param], browser_lab.host(HOST)
    with (
        browsers.start(domain, host.address4) as trusted,
        browsers.start(domain, host.address6) as unknown,
    ):
        password = browser_lab.admin_password.read_text().strip()
        people = visitor(trusted, domain), visitor(unknown, domain)
        yield Site(request.param, domain, password, *people)


@pytest.fixture(scope="module")
def dashboard(site) -> Page:
    """The team's tab after logging in."""
    return site.team.log_in(site.password)


@pytest.fixture(scope="module")
def studio(site, dashboard) -> Studio:
    """A project, made in the builder, on no domain yet."""
    dashboard.click("#new")
    dashboard.fill("#name", f"Notes behind {site.gate}")
    dashboard.fill("#domain", "")
    dashboard.click("#create button[type=submit]")
    dashboard.wait_for_url("**/tinykit/studio?id=*")
    dashboard.wait_for_selector("#code")
    return Studio(dashboard, dashboard.url.rpartition("=")[2])


@pytest.fixture(scope="module")
def published(site, studio) -> Studio:
    """The project with an app that visitors write to, published on the site's domain."""
    studio.page.fill("#domain", site.domain)
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
