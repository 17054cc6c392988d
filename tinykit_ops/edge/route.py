"""What a row of the route table says; the rows themselves are in `routes`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tinykit_ops.edge.paths import matches
from tinykit_ops.edge.probe import Probe


class RouteClass(StrEnum):
    """Who may use a route."""

    PUBLISHED = "published"  #: the world
    BUILDER = "builder"  #: who passes the builder's gate
    ADMIN = "admin"  #: who passes the administration's gate
    ANSWERED = "answered"  #: anybody, but the edge answers; nothing behind it is asked
    NEVER = "never"  #: nobody through the edge: 404


class Upstream(StrEnum):
    """Which server is behind a route."""

    TINYKIT = "tinykit"
    POCKETBASE = "pocketbase"


class Limit(StrEnum):
    """What is counted by address; `settings.edge.limits` has the numbers."""

    WRITES = "writes"  #: requests a minute
    PROXIED = "proxied"  #: requests a minute
    LOGINS = "logins"  #: requests a minute
    STREAMS = "streams"  #: open at a time


@dataclass(frozen=True)
class EdgeAnswer:
    """What the edge says itself.

    Attributes:
        location: where a redirect leads to.
        forgets: a `__Host-` cookie that the browser drops when it gets this answer.
    """

    status: int
    body: str
    content_type: str = "application/json"
    forgets: str = ""
    location: str = ""


@dataclass(frozen=True)
class Route:
    """One row of the table.

    Attributes:
        name: stable and unique; names of matchers and blocks are made from it.
        paths: lower-case patterns as `paths.matches` (and Caddy's `path`) reads them.
        classification: who may use it.
        methods: to which methods the row applies; empty means all.
        upstream: who answers, for the classes that are passed on.
        strip: prefix to remove from the path before it is passed on.
        prepend: prefix to put there instead.
        answer: for `answered` rows.
        door: a way in, without which nobody could log in: it must be reachable by those who
            have not proven yet who they are (an address allowlist may still apply).
        page: a page that a person opens: without a pass it leads to the login page, or lets the
            browser ask for a password; a call gets a bare status.
        limit: what of it is counted by address.
        headers: response headers to set, whatever the server behind says.
        attaches: answers in a type that a browser would run (HTML, SVG, XML) are downloads.
        exact_origin: refuse the request unless its Origin is the site's own, to the letter.
        note: why the row is as it is.
        probe: a read-only request that tells whether the route can be reached.
    """

    name: str
    paths: tuple[str, ...]
    classification: RouteClass
    methods: tuple[str, ...] = ()
    upstream: Upstream = Upstream.TINYKIT
    strip: str = ""
    prepend: str = ""
    answer: EdgeAnswer | None = None
    door: bool = False
    page: bool = False
    limit: Limit | None = None
    headers: tuple[tuple[str, str], ...] = ()
    attaches: bool = False
    exact_origin: bool = False
    note: str = ""
    probe: Probe | None = None

    def covers(self, method: str, path: str) -> bool:
        """Does the row apply to this method and normalised path?"""
        if self.methods and method.upper() not in self.methods:
            return False
        return any(matches(pattern, path) for pattern in self.paths)
