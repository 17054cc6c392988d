"""Read-only requests that tell whether a route can be reached, and how to read their answers.

"Open" means that the request reached tinykit or PocketBase; the proof is an answer that only they
give. "Closed" means that something before them refused. Everything else (a time-out, a 429, a
502, a page of somebody else's) is "unclear", and never counts as closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

#: An id in the form of PocketBase's that no record has.
UNKNOWN_ID = "tkopsunknown000"

#: Statuses with which proxies refuse. 404 and 405 are among them because closing a route by
#: pretending that it does not exist is good practice; tinykit's own are told apart by their body.
REFUSALS = frozenset({400, 401, 403, 404, 405, 407, 410, 421, 451})


class Seen(StrEnum):
    """What an answer says about a route."""

    OPEN = "open"
    CLOSED = "closed"
    UNCLEAR = "unclear"


class Response(Protocol):
    """The part of an HTTP response that a probe looks at."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""

    @property
    def text(self) -> str:
        """The body (its beginning, when it is long)."""


Recognise = Callable[[Response], bool]


@dataclass(frozen=True)
class Probe:
    """One request that changes nothing, and how an answer of the application looks.

    Attributes:
        method: HTTP method.
        path: request target, sent exactly as it stands.
        opens: tells whether an answer comes from the application itself.
        closes: tells whether an answer with a status of success is a refusal nevertheless
            (`{"needs_setup":false}`).
        headers: to send.
        body: to send; nothing that could create or change a record.
    """

    method: str
    path: str
    opens: Recognise
    closes: Recognise = field(default=lambda _: False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def judge(self, response: Response) -> Seen:
        """What this answer says about the route."""
        if self.opens(response):
            return Seen.OPEN
        if self.closes(response) or response.status in REFUSALS or leads_to_a_door(response):
            return Seen.CLOSED
        return Seen.UNCLEAR


def leads_to_a_door(response: Response) -> bool:
    """Is this a redirect to a login page, of tinykit or of a single sign-on elsewhere?"""
    if response.status not in {301, 302, 303, 307, 308}:
        return False
    target = urlsplit(response.headers.get("location", ""))
    path = target.path.rstrip("/").lower()
    return path.endswith(("/login", "/signin", "/sign_in")) or "/oauth2/" in path


def says(status: int, *texts: str) -> Recognise:
    """Recognises a status together with any of these texts in the body."""
    return lambda response: (
        response.status == status and any(text in response.text for text in texts)
    )


def is_page_shell(response: Response) -> bool:
    """Is this one of the builder's pages? SvelteKit marks what it renders."""
    if response.status != 200:
        return False
    marked = response.headers.get("x-sveltekit-page") == "true"
    return marked or any(mark in response.text for mark in ("__sveltekit_", "/_app/immutable/"))


def is_dashboard(response: Response) -> bool:
    """Is this PocketBase's dashboard, or the redirect to it that SvelteKit makes?"""
    if response.status in {301, 302, 307, 308}:
        return response.headers.get("location", "").rstrip("/").endswith(("/_pb/_", "/_"))
    return response.status == 200 and "PocketBase" in response.text


def is_pocketbase_error(response: Response) -> bool:
    """Is this a refusal that PocketBase itself wrote?"""
    return response.status in {400, 401, 403, 404} and '"data":' in response.text


def get(path: str, opens: Recognise) -> Probe:
    """A GET probe."""
    return Probe("GET", path, opens)


def post_nothing(path: str, opens: Recognise) -> Probe:
    """A POST of `{}`, which the route refuses before it does anything."""
    return Probe("POST", path, opens, headers={"content-type": "application/json"}, body="{}")
