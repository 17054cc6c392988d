"""A real browser in front of a provisioned lab host, and what it saw."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

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
INTERMEDIATE = "/var/lib/caddy/caddy/pki/authorities/local/intermediate.crt"
#: Part of every instance, open to everybody, and without any script.
HARMLESS_PAGE = "/_tk/assets/placeholder.jpg"
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
    address: str  #: "https://apps.lab.test"
    saw: Sightings

    def open(self, path: str) -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.goto(self.address + path)
        return page

    def answers(self, *paths: str) -> dict[str, int]:
        """What scripts of this visitor's own page get for each path; redirects are followed."""
        page = self.open(HARMLESS_PAGE)
        ask = "async (path) => (await fetch(path)).status"
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
    def start(self, domain: str, address: str) -> Iterator[Browser]:
        """A browser that knows `domain` at `address`, and trusts the host's own authority."""
        where = f"[{address}]" if ":" in address else address
        browser = self.playwright.chromium.launch(
            executable_path=self.wrapper,
            headless=True,
            args=[
                *FLAGS,
                f"--host-resolver-rules=MAP {domain} {where}",
                f"--ignore-certificate-errors-spki-list={authority_pin(self.host)}",
            ],
        )
        yield browser
        browser.close()


def visitor(browser: Browser, domain: str) -> Visitor:
    """A visitor with empty cookies and storage."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(15_000)
    saw = Sightings()
    saw.watch(context)
    return Visitor(context, f"https://{domain}", saw)


def authority_pin(host: LabHost) -> str:
    """The key of the authority that signs the host's certificate, as Chromium wants it."""
    pem = host.ssh(["cat", INTERMEDIATE]).stdout
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
