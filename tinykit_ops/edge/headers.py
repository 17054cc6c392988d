"""Headers that every edge treats alike, whichever program it is."""

from __future__ import annotations

#: By which other proxies tell whose request it is, and others; a client's own word counts for
#: nothing.
#: `X-Forwarded-*` and `X-Real-IP` are not among them: the edge writes those itself.
CLAIMS = (
    *("Forwarded", "Via", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP"),
    *("X-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For", "X-Original-Host"),
    *("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"),
    *("Proxy", "X-Tinykit-Ops-Token"),
    # Neither server speaks another protocol, and "h2c" would be a tunnel past every gate.
    "Upgrade",
)

#: Types that a browser would run when it shows them alone.
ACTIVE_TYPES = (
    *("text/html", "application/xhtml+xml", "image/svg+xml"),
    *("text/xml", "application/xml"),
)
