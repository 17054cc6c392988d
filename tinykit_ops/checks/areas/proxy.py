"""PocketBase behind `/_pb/`: its administration is nobody's business."""

from __future__ import annotations

import re

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.fingerprint import PATH as PLACEHOLDER
from tinykit_ops.checks.gate import closed_to_strangers, routes_of
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
    unknown,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.session import parsed
from tinykit_ops.edge.routes import RouteClass
from tinykit_ops.host.server_settings import LOOPBACK

_LINE = "PocketBase behind /_pb/"
#: How configurations name the address that the proxy itself sees, or counts by.
_TOLD = re.compile(r"(?m)^\s*(?:header_up|proxy_set_header)\s+X-Forwarded-For\s+(\S+?);?\s*$")
_OWN_WORDS = frozenset({"{client_ip}", "{remote_host}", "{tinykit_counted}", "$remote_addr"})
#: Addresses that documentation uses (RFC 5737), in headers that servers have believed.
_FORGED = {
    "x-forwarded-for": "198.51.100.99",
    "x-real-ip": "198.51.100.98",
    "cf-connecting-ip": "198.51.100.97",
    "true-client-ip": "198.51.100.96",
}


@check(
    id="proxy.dashboard-gated",
    title="PocketBase's dashboard and superuser API are closed to strangers",
    area=Area.PROXY,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist="Protect the builder; PocketBase behind /_pb/",
    remedy=Remedy(
        caddy="@admin path /_pb/_/* /_pb/api/collections/_superusers/* /_pb/api/settings* "
        "/_pb/api/backups* /_pb/api/logs* /_pb/api/crons* /_pb/api/sql*\nhandle @admin {\n"
        "\t@stranger not remote_ip 203.0.113.7\n\trespond @stranger 403\n"
        "\treverse_proxy 127.0.0.1:3000\n}",
        nginx="location ~* ^/_pb/(_|api/(settings|backups|logs|crons|sql|"
        "collections/_superusers))(/|$) {\n    allow 203.0.113.7;\n    deny all;\n"
        "    proxy_pass http://127.0.0.1:3000;\n}",
        by_hand="Let only named addresses reach /_pb/_/ and the superuser API (`access.admin` in "
        "the inventory), or use the dashboard through an SSH tunnel: "
        "`ssh -L 8091:127.0.0.1:8091 HOST`.",
    ),
)
def dashboard_is_gated(look: Context) -> Verdict:
    """Asks for the dashboard and one resource of every part of the superuser API."""
    gate = look.settings.access.admin if look.settings else None
    return closed_to_strangers(look, routes_of(RouteClass.ADMIN), gate)


@check(
    id="proxy.same-origin-works",
    title="PocketBase answers the builder under /_pb/",
    area=Area.PROXY,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy="handle_path /_pb/* {\n\treverse_proxy 127.0.0.1:8091\n}",
        nginx="location /_pb/ {\n    proxy_pass http://127.0.0.1:8091/;\n}",
        by_hand="See that PocketBase runs (`systemctl status pocketbase`) and that the reverse "
        "proxy passes /_pb/ on, behind the builder's gate.",
    ),
)
def pocketbase_answers(look: Context) -> Verdict:
    """Asks for its health, as somebody who passes the builder's gate."""
    bearer = {}
    if look.account and not look.account.is_local:
        bearer = {"authorization": f"Bearer {look.account.login().token}"}
    answer = look.get(look.at_builder(look.web), "/_pb/api/health", **bearer)
    if answer.status == 200 and "API is healthy" in answer.text:
        return passed(str(answer))
    if answer.status in {401, 403, 302}:
        raise CannotLook(f"{answer}: the gate is closed to this machine; look with an account")
    if answer.status in {404, 405, 502, 503}:
        return failed(f"{answer}, and not PocketBase's health")
    return unknown(str(answer))


@check(
    id="proxy.forwarded-for",
    title="A visitor cannot choose the address that PocketBase counts and logs",
    area=Area.PROXY,
    severity=Severity.HIGH,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="reverse_proxy 127.0.0.1:8091 {\n\theader_up X-Forwarded-For {client_ip}\n"
        "\theader_up -X-Real-IP\n}",
        nginx="proxy_set_header X-Forwarded-For $remote_addr;\nproxy_set_header X-Real-IP "
        "$remote_addr;",
        by_hand="Overwrite X-Forwarded-For in the reverse proxy, drop the other headers of its "
        "kind, and send /_pb/ to PocketBase itself: tinykit passes on what the visitor sent.",
    ),
)
def addresses_cannot_be_chosen(look: Context) -> Verdict:
    """Asks PocketBase, through the edge, whom it takes a request for that names other addresses. On
    the host, reads what the proxy is configured to tell PocketBase."""
    if look.root.is_local:
        return _as_configured(look)
    tally = Tally()
    for headers in (_FORGED, {"x-forwarded-for": f"{_FORGED['x-forwarded-for']}, 127.0.0.1"}):
        answer = look.root.ask("GET", "/api/health", headers=headers)
        seen = ((parsed(answer) or {}).get("data") or {}).get("realIP")
        if answer.status != 200 or not isinstance(seen, str) or not seen:
            tally.unseen.append(f"{answer}, which names no address")
            continue
        line = f"PocketBase takes it for {seen}"
        if seen in _FORGED.values():
            tally.bad.append(f"{line}, which only the request said")
        elif seen in LOOPBACK:
            tally.unseen.append(f"{line}, the proxy itself, and so for everybody")
        else:
            tally.good.append(line)
    return tally.verdict()


@check(
    id="proxy.fetches-nothing-inside",
    title="tinykit's open proxy fetches nothing from inside",
    area=Area.PROXY,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="respond /api/proxy 404",
        nginx="location = /api/proxy { return 404; }",
        by_hand="Let the firewall keep the service's user from everything inside (check "
        "`network.egress-contained`); or close /api/proxy, when no published app uses it. Its own "
        "block-list misses [::1], [::ffff:127.0.0.1], 169.254.169.254 and redirects.",
    ),
)
def the_open_proxy_fetches_nothing_inside(look: Context) -> Verdict:
    """Lets it fetch tinykit's own placeholder picture from loopback, in a spelling that tinykit
    does not block. PocketBase, which tinykit needs, answers the control."""
    inside = "/api/proxy?url=http://[::ffff:127.0.0.1]:{}{}"
    client = look.stranger
    answer = client.get(inside.format(layout.TINYKIT_PORT, PLACEHOLDER))
    line = str(answer)
    if answer.status == 200 and answer.text.lstrip().startswith("<svg"):
        return failed(f"{line} with the picture: it fetches whatever listens inside")
    control = client.get(inside.format(layout.POCKETBASE_PORT, "/api/health"))
    fetches = control.status == 200 and "API is healthy" in control.text
    if answer.status in {400, 401, 403, 404, 405, 410} and not fetches:
        return passed(f"{line}: closed")
    # The proxy passes on the status of what it fetched; 502 is its own, and 429 the edge's.
    if fetches and answer.status < 500 and answer.status != 429:
        return failed(f"{line}, and {control} with PocketBase's health: something inside said that")
    if answer.status != 502 or control.status not in {200, 502}:
        return unknown(line, str(control))
    if control.status == 502:
        alive = look.get(client, "/api/proxy")
        if "Missing url" not in alive.text:
            return unknown(line, f"{alive}: these may be a proxy's own errors")
        return passed(f"{line}, {control}: it is shut in")
    if look.settings is None:
        return unknown(
            f"{line}, but it fetches PocketBase from inside: tinykit is shut in, or listens on "
            "another port; the settings (--inventory) would tell which"
        )
    return passed(f"{line}: it reaches PocketBase, which tinykit needs, and nothing else")


def _as_configured(look: Context) -> Verdict:
    """The verdict on every address that the proxy's configuration writes for PocketBase."""
    nginx = look.known.edge.kind == "nginx"
    path = layout.NGINX_CONFIG if nginx else layout.CADDY_CONFIG
    found = _TOLD.findall(look.machine.read(path) or "")
    if not found:
        raise CannotLook(f"{path} says nothing about X-Forwarded-For")
    strange = sorted(set(found) - _OWN_WORDS)
    if strange:
        return failed(
            *(f"{path} tells PocketBase {each} as the visitor's address" for each in strange)
        )
    return passed(f"{path} writes the visitor's address itself, in {len(found)} places")
