"""PocketBase's own settings as an instance wants them: proxy, limits, superusers' addresses.

What a version can do is read off the settings that the server returns, not off its number:
`rateLimits.excludedIPs` and `superuserIPs` are newer than 0.23.4, the oldest one supported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tinykit_ops import layout
from tinykit_ops.edge.route import Limit

if TYPE_CHECKING:
    from tinykit_ops.settings import Settings

Json = dict[str, Any]

#: From where tinykit's server, the agent and the edge's own questions come.
LOOPBACK = ("127.0.0.1", "::1")
#: What the edge sets itself, whatever a client sent.
PROXY_HEADER = "X-Forwarded-For"
#: Logins a minute that are left where loopback counts too: tinykit and the agent log in from there.
FEWEST_LOGINS = 10
#: Labels of the rules that a new PocketBase has, switched off: ours replace them.
STANDARD_LABELS = frozenset({"*:auth", "*:create", "/api/batch", "/api/"})


def changes(settings: Settings, current: Json) -> Iterator[tuple[str, Json]]:
    """What differs, in words, and the sections that put it right.

    Args:
        settings: of the instance.
        current: what the server's settings are now; what an operator added to other keys stays.
    """
    wanted = (
        (f"appURL {settings.builder_origin}", {"meta": {"appURL": settings.builder_origin}}),
        (
            f"take the client's address from {PROXY_HEADER}",
            {"trustedProxy": {"headers": [PROXY_HEADER], "useLeftmostIP": False}},
        ),
        ("limits of requests and logins", {"rateLimits": _limits(settings, current)}),
    )
    for what, sections in wanted:
        patch = {name: {**current.get(name, {}), **keys} for name, keys in sections.items()}
        if any(current.get(name) != section for name, section in patch.items()):
            yield what, patch
    yield from _superuser_addresses(settings, current)


def _superuser_addresses(settings: Settings, current: Json) -> Iterator[tuple[str, Json]]:
    if "superuserIPs" not in current:
        return
    wanted = superuser_addresses(settings)
    if current["superuserIPs"] != wanted:
        what = f"superusers from {', '.join(wanted) or 'anywhere'}"
        yield what, {"superuserIPs": wanted}


def superuser_addresses(settings: Settings) -> list[str]:
    """From where superusers may come; empty for anywhere.

    The allowlist holds inside PocketBase too when nobody passes the administration's gate without
    it. Loopback stays in, or tinykit, which logs in as superuser, would be shut out.
    """
    gate = settings.access.admin
    strict = gate.match == "all" or len(gate.require) == 1
    if "allowlist" not in gate.require or not strict:
        return []
    return [*LOOPBACK, *(str(network) for network in settings.access.allowlist)]


def _limits(settings: Settings, current: Json) -> Json:
    """The section `rateLimits`, but for keys that are not ours."""
    now = current.get("rateLimits", {})
    excludes = "excludedIPs" in now
    ours = rules(settings, loopback_is_left_out=excludes)
    managed = STANDARD_LABELS | {rule["label"] for rule in ours}
    # The operator's come first: PocketBase takes the first rule that fits a path.
    others = [rule for rule in now.get("rules", []) if rule["label"] not in managed]
    standing = [rule for rule in now.get("rules", []) if rule["label"] in managed]
    kept = standing if _same(standing, ours) else ours
    limits: Json = {"enabled": True, "rules": [*others, *kept]}
    if excludes:
        left_out = now["excludedIPs"]
        limits["excludedIPs"] = [*left_out, *(ip for ip in LOOPBACK if ip not in left_out)]
    return limits


def rules(settings: Settings, *, loopback_is_left_out: bool) -> list[Json]:
    """Our rules of PocketBase's limiter, counted by path or action and the client's address.

    Args:
        settings: of the instance.
        loopback_is_left_out: else only logins and our own routes are limited, because tinykit's
            server is one address: general limits would close published pages to everybody.
    """
    limits = settings.edge.limits
    logins = limits.logins if loopback_is_left_out else max(limits.logins, FEWEST_LOGINS)
    counted = {
        Limit.WRITES: limits.writes,
        Limit.PROXIED: limits.proxied,
        Limit.LOGINS: limits.logins,
        # Openings, in a minute: Caddy asks when a stream begins, and nobody hears when it ends.
        Limit.STREAMS: limits.streams,
    }
    found = [_rule("*:auth", logins, 60)]
    found += [_rule(f"{layout.LIMIT_ROUTE}/{name}", most, 60) for name, most in counted.items()]
    if loopback_is_left_out:
        found += _GENERAL
    return found


def _rule(label: str, most: int, seconds: int) -> Json:
    return {"label": label, "audience": "", "duration": seconds, "maxRequests": most}


#: A ceiling for one address that the builder does not reach. Published pages are not concerned:
#: tinykit reads for them from loopback. Event streams count when they are opened, not as they run.
_GENERAL = [
    # The edge asks with every request of the builder, in the client's name, and a 429 here would
    # be a 500 of nginx; who is refused is counted by the journal's lines instead.
    _rule(layout.JUDGE_ROUTE, 1_000_000, 1),
    # A template or an import makes tens of records at once; PocketBase's 20 in 5 s stops it.
    _rule("*:create", 200, 10),
    # tinykit sends no batches, and they are off; PocketBase's own 3 a second, over a longer time.
    _rule("/api/batch", 30, 10),
    # Ten times PocketBase's own 300: a dashboard asks twice a project (record, page), so that ten
    # people behind one address can open one of a hundred projects within the same ten seconds.
    _rule("/api/", 3000, 10),
]


def _same(standing: Sequence[Json], wanted: Sequence[Json]) -> bool:
    """Do the rules say the same, whatever else a newer server tells about each?"""
    said = [{key: rule.get(key, "") for key in _rule("", 0, 0)} for rule in standing]
    return said == list(wanted)
