"""Render the plan of the edge for Caddy.

Caddy's `path` matcher decodes, merges slashes and dot segments, and ignores case, as
`edge.paths.normalise` does; the rows are written in their order and the first that matches wins.
"""

from __future__ import annotations

import re

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.edge.headers import ACTIVE_TYPES, CLAIMS
from tinykit_ops.edge.paths import TRICKS
from tinykit_ops.edge.plan import LOGIN_PAGE, STANDBY, UPSTREAMS, GatePlan, Site, gates_of, sites
from tinykit_ops.edge.route import Limit, Upstream
from tinykit_ops.settings import Settings

CERTIFICATE = "/etc/caddy/tls/certificate.pem"
KEY = "/etc/caddy/tls/key.pem"
DIRECTORY_CA = "/etc/caddy/tls/directory-ca.pem"
HOOK_TOKEN = f"/run/credentials/{layout.CADDY_UNIT}/{layout.HOOK_TOKEN}"

#: So many addresses may have all their streams open before streams, and nothing else, are refused.
FULL_HOUSES = 25


def caddyfile(settings: Settings) -> str:
    """The whole Caddyfile of an instance."""
    planned = sites(settings)
    cdn = settings.firewall.cdn if settings.firewall.mode == "cdn" else None
    return render(
        "caddy/Caddyfile.j2",
        settings=settings,
        tls=settings.edge.tls,
        cdn=cdn,
        sites=[(site, site.rows) for site in planned],
        names=[name for site in planned for name in site.names],
        gates=_gates(planned),
        pocketbase=UPSTREAMS[Upstream.POCKETBASE],
        tinykit=UPSTREAMS[Upstream.TINYKIT],
        standby=STANDBY,
        hook_token_file=HOOK_TOKEN,
        certificate_path=CERTIFICATE,
        key_path=KEY,
        directory_ca_path=DIRECTORY_CA,
        login_page=LOGIN_PAGE,
        tricks=TRICKS,
        claims=(*CLAIMS, cdn.client_header) if cdn else CLAIMS,
        active_types="|".join(re.escape(kind) for kind in ACTIVE_TYPES),
        limits=[limit.value for limit in Limit],
        streams=FULL_HOUSES * settings.edge.limits.streams,
        quoted=quoted,
    )


def quoted(text: str) -> str:
    """A text as one word of a Caddyfile.

    Raises:
        ValueError: it holds a backslash, which Caddy reads in more than one way.
    """
    if "\\" in text:
        raise ValueError(f"a backslash cannot be quoted for Caddy: {text!r}")
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'


def _gates(planned: tuple[Site, ...]) -> list[GatePlan]:
    """The gates of all sites, each once."""
    return list(dict.fromkeys(gate for site in planned for gate in gates_of(site)))
