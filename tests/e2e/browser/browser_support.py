"""A real browser in front of a provisioned lab host, and what it saw."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from tests_e2e_support import certificate, until

from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.inventory import ADMIN_EMAIL
from tinykit_ops.lab.lab import Lab

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 180_000  #: of everything that waits for a page
#: Part of every instance, open to everybody, and without any script.
HARMLESS_PAGE = "/_app/version.json"
LOGIN_COOKIE = "__Host-tinykit_ops"
#: Requests that a browser drops by itself when a page is left; not the server's doing.
DROPPED_BY_THE_BROWSER = "net::ERR_ABORTED"


@dataclass
class Sightings:
    """What went wrong in a browser: refused or failed requests, and errors in the console."""

    refused: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note everything that happens in the pages of a context from now on."""
        context.on("response", self._response)
        context.on("requestfailed", self._failure)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def forget(self, status: int) -> None:
        """Forget the answers with a status that a test has asked for on purpose."""
        self.refused = [line for line in self.refused if not line.startswith(f"{status} ")]
        self.errors = [line for line in self.errors if f"status of {status} " not in line]

    def _response(self, response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.request.method} {response.url}")

    def _failure(self, request) -> None:
        if request.failure != DROPPED_BY_THE_BROWSER:
            self.refused.append(f"{request.failure} {request.method} {request.url}")

    def _console(self, message) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@dataclass(frozen=True)
class Visitor:
    """Somebody with a browser of their own."""

    context: BrowserContext
    builder: str  #: where the builder is: "https://build.lab.test"
    published: str  #: where published apps are: "https://apps.lab.test"
    saw: Sightings

    def open(self, path: str) -> Page:
        """Open a page of the builder in a new tab."""
        page = self.context.new_page()
        page.goto(self.builder + path)
        return page

    def visit(self, path: str = "/") -> Page:
        """Open a page of the published app in a new tab."""
        page = self.context.new_page()
        page.goto(self.published + path)
        return page

    def cookies(self) -> set[str]:
        """Names of the cookies that this browser keeps."""
        return {cookie["name"] for cookie in self.context.cookies()}

    def answers(self, *paths: str) -> dict[str, int]:
        """What scripts of this visitor's own page get for each path; redirects are followed."""
        return self._ask(self.open(HARMLESS_PAGE), paths)

    def answers_on_published(self, *paths: str) -> dict[str, int]:
        """The same of the published app's origin."""
        return self._ask(self.visit(HARMLESS_PAGE), paths)

    def _ask(self, page: Page, paths: Sequence[str]) -> dict[str, int]:
        # With credentials, a browser would ask a person for a password, who is not there.
        how = "{}" if self.context.cookies() else "{ credentials: 'omit' }"
        ask = f"async (path) => (await fetch(path, {how})).status"
        found = {path: page.evaluate(ask, path) for path in paths}
        page.close()
        return found

    def log_in(self, password: str) -> Page:
        """Log in with the first account, on the login page; returns the dashboard's tab."""
        page = self.open("/login")
        page.fill("#email", ADMIN_EMAIL)
        page.fill("#password", password)
        page.click("#login button[type=submit]")
        page.wait_for_selector("#projects", state="attached")
        return page


class Browsers:
    """Starts Chromium on the lab's outside client, whose network nothing else disturbs."""

    def __init__(self, playwright: Playwright, lab: Lab, host: LabHost, folder: Path) -> None:
        self.playwright = playwright
        self.lab = lab
        self.host = host
        self.wrapper = folder / "chromium-outside"
        words = shlex.join(lab.outside.command([str(CHROMIUM)]))
        self.wrapper.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        self.wrapper.chmod(0o755)

    @contextmanager
    def start(self, domains: Sequence[str], address: str) -> Iterator[Browser]:
        """A browser that knows `domains` at `address`, and trusts the certificates they have."""
        where = f"[{address}]" if ":" in address else address
        rules = ", ".join(f"MAP {domain} {where}" for domain in domains)
        pins = ",".join(certificate_pin(self.host.address4, domain) for domain in domains)
        browser = self.playwright.chromium.launch(
            executable_path=self.wrapper,
            headless=True,
            timeout=PATIENCE_MS,
            args=[
                *FLAGS,
                f"--host-resolver-rules={rules}",
                f"--ignore-certificate-errors-spki-list={pins}",
            ],
        )
        yield browser
        browser.close()


def visitor(
    browser: Browser, builder: str, published: str, basic: tuple[str, str] | None = None
) -> Visitor:
    """A visitor with empty cookies and storage.

    Args:
        builder, published: domains.
        basic: the name and password to type when the browser asks for them.
    """
    credentials = {"username": basic[0], "password": basic[1]} if basic else None
    context = browser.new_context(accept_downloads=True, http_credentials=credentials)
    context.set_default_timeout(PATIENCE_MS)
    saw = Sightings()
    saw.watch(context)
    return Visitor(context, f"https://{builder}", f"https://{published}", saw)


def certificate_pin(address: str, domain: str) -> str:
    """The key of the certificate that `domain` has now, as Chromium wants it."""
    shown = until(lambda: certificate(address, domain))  # Caddy makes those of new names later
    assert shown, domain
    key = x509.load_der_x509_certificate(shown).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
