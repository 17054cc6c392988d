"""Render the plan of the edge for nginx.

A request is given the name of its row by an ordered map of regular expressions, and then sent to
that row's own internal location. The path is compared decoded and in any case, and passed on as it
came: `paths.TRICKS` has refused before what two programs could read in two ways.
"""

from __future__ import annotations

import re

from tinykit_ops.deploy.templates import render
from tinykit_ops.edge.headers import ACTIVE_TYPES, CLAIMS
from tinykit_ops.edge.nginx_tls import pairs
from tinykit_ops.edge.paths import TRICKS
from tinykit_ops.edge.plan import LOGIN_PAGE, STANDBY, UPSTREAMS, Row, Site, gates_of, sites
from tinykit_ops.edge.route import Limit, Route, Upstream
from tinykit_ops.settings import Settings

#: nginx drops no family of headers by its beginning; these are those that somebody reads.
_FORWARDED = tuple(
    f"X-Forwarded-{kind}" for kind in ("Port", "Prefix", "Scheme", "Server", "Ssl", "Uri", "By")
)


def nginx_conf(settings: Settings, *, ipv6: bool = True) -> str:
    """The whole configuration of nginx for an instance.

    Args:
        ipv6: the host has IPv6; where it has not, nginx could not listen on it.
    """
    limits = settings.edge.limits
    tinykit = UPSTREAMS[Upstream.TINYKIT]
    return render(
        "nginx/nginx.conf.j2",
        settings=settings,
        tls=settings.edge.tls,
        ipv6=ipv6,
        behind_cdn=settings.firewall.mode == "cdn",
        sites=[(site, site.rows, gates_of(site)) for site in sites(settings)],
        pairs=pairs(settings),
        upstreams={
            "tinykit": (tinykit, STANDBY),
            "standby": (STANDBY, tinykit),
            "pocketbase": (UPSTREAMS[Upstream.POCKETBASE],),
        },
        rates={kind: getattr(limits, kind.value) for kind in Limit if kind is not Limit.STREAMS},
        login_page=LOGIN_PAGE,
        tricks=TRICKS,
        claims=_claims(settings),
        active_types="|".join(re.escape(kind) for kind in ACTIVE_TYPES),
        row_regex=row_regex,
        strips=_strips,
        variable=variable,
        quoted=quoted,
    )


def _claims(settings: Settings) -> list[str]:
    """The headers to drop; those that the edge writes itself are no claims any more."""
    own = {"x-forwarded-for", "x-real-ip"}
    named = {settings.firewall.cdn.client_header.lower(): settings.firewall.cdn.client_header}
    claims = {name.lower(): name for name in (*CLAIMS, *_FORWARDED)} | named
    return [name for key, name in claims.items() if key not in own]


def row_regex(route: Route) -> str:
    """What `METHOD PATH` looks like when the row covers it; compared in any case."""
    methods = f"(?:{'|'.join(route.methods)})" if route.methods else r"\S+"
    return f"^{methods} (?:{'|'.join(path_regex(pattern) for pattern in route.paths)})$"


def path_regex(pattern: str) -> str:
    """A pattern of the table as `paths.matches` reads it, for a path that is decoded once.

    A trailing slash is allowed, as `paths.normalise` takes it off.
    """
    if "*" not in pattern:
        return re.escape(pattern) + ("" if pattern == "/" else "/?")
    stem, _, rest = pattern.partition("*")
    if not rest and stem.endswith("/"):
        return re.escape(stem[:-1]) + "(?:/.*)?"
    if not rest:
        return re.escape(stem) + ".*"
    segments = pattern.split("/")
    return "/".join(_segment_regex(segment) for segment in segments) + "/?"


def _segment_regex(segment: str) -> str:
    if segment == "*":
        return "[^/]+"
    return "[^/]*".join(re.escape(part) for part in segment.split("*"))


def variable(text: str) -> str:
    """A name as part of nginx's variables."""
    return re.sub(r"\W", "_", text)


def quoted(text: str) -> str:
    """A text as nginx reads it back: `$` would begin a variable, so a variable holds it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("$", "${tinykit_dollar}") + '"'


def _strips(found: list[tuple[Site, tuple[Row, ...], object]]) -> list[str]:
    """The prefixes that some row takes off."""
    return sorted({row.route.strip for _, rows, _ in found for row in rows if row.route.strip})
