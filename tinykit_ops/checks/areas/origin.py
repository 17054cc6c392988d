"""Origins: what other sites, other names and other people's bytes may do to this one."""

from __future__ import annotations

from dataclasses import replace

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.fingerprint import PATH as PLACEHOLDER
from tinykit_ops.checks.http import Client, HungUp
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
from tinykit_ops.edge.probe import REFUSALS, UNKNOWN_ID, is_page_shell
from tinykit_ops.edge.routes import Seen, route_named
from tinykit_ops.edge.tinykit_routes import POLLUTERS

_LINE = "Built-in: cross-origin requests to data APIs refused"
_POLLUTING = f"^/_tk/data/[^/]+/({'|'.join(POLLUTERS)})(/|$)"  #: a regular expression
_NOBODY = "tinykit-ops-check.invalid"  #: a name that nobody has (RFC 2606)
_WRITE = f"/_tk/data/{UNKNOWN_ID}/tkops-check/none"
_PROXY = "/api/proxy"


@check(
    id="origin.writes-exact",
    title="Published data is written from its own origin only",
    area=Area.ORIGIN,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="@foreign {\n\tpath /_tk/data/*\n\tmethod POST PUT PATCH DELETE\n"
        "\tnot header Origin https://{host}\n}\nrespond @foreign 403",
        nginx='map "$request_method:$http_origin" $foreign {\n    default 0;\n'
        '    "~^(POST|PUT|PATCH|DELETE):(?!https://apps\\.example\\.com$)" 1;\n}\n'
        "location ^~ /_tk/data/ {\n    if ($foreign) { return 403; }\n"
        "    proxy_pass http://127.0.0.1:3000;\n}",
        by_hand="Compare the Origin of writes under /_tk/data/ to the letter in the reverse proxy. "
        "tinykit itself takes every Origin that begins like the site's, and none at all.",
    ),
)
def writes_need_the_own_origin(look: Context) -> Verdict:
    """Sends DELETE for a project that does not exist, with origins that tinykit lets pass, and with
    the right one, which alone must reach tinykit; where that is refused too, PATCH."""
    refusals: list[str] = []
    for method in ("DELETE", "PATCH"):
        tally = _foreign_writes(look.stranger, method)
        if tally.bad or tally.unseen:
            return tally.verdict()
        own = look.stranger.send(method, _WRITE, headers={"origin": look.stranger.target.url})
        if _is_of_tinykit(own):
            return passed(*tally.good, f"{own}, with the own Origin, from tinykit itself")
        refusals += [*tally.good, f"{own}, with the own Origin too"]
    reading = look.sight(route_named("data"))
    if reading.seen == Seen.CLOSED:
        return passed(*refusals, f"{reading.evidence}: strangers do not even read")
    return unknown(*refusals, "so it is not the Origin that these refuse")


def _foreign_writes(client: Client, method: str) -> Tally:
    tally, own = Tally(), client.target.url
    origins = {
        f"{own}.evil.example": "an Origin that begins like the site's",
        "": "no Origin",
    }
    for origin, words in origins.items():
        headers = {"origin": origin} if origin else {}
        try:
            _weigh(client.send(method, _WRITE, headers=headers), words, tally)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
    return tally


def _weigh(answer: Answer, words: str, tally: Tally) -> None:
    line = f"{answer}, with {words}"
    if _is_of_tinykit(answer):
        tally.bad.append(f"{line}: it reached tinykit")
    elif answer.status in REFUSALS:
        tally.good.append(line)
    else:
        tally.unseen.append(line)


def _is_of_tinykit(answer: Answer) -> bool:
    return any(words in answer.text for words in ("Project not found", "Collection not found"))


@check(
    id="origin.names-not-polluting",
    title="Nobody names a collection like JavaScript's own properties",
    area=Area.ORIGIN,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy=f"@pollute path_regexp (?i){_POLLUTING}\nrespond @pollute 404",
        nginx=f"location ~* {_POLLUTING} {{ return 404; }}",
        by_hand="Refuse the names that every JavaScript object has (__proto__, constructor, "
        "toString, valueOf …) as names of collections in the reverse proxy: written to, they "
        "change objects and functions of tinykit's whole process.",
    ),
)
def polluting_names_are_refused(look: Context) -> Verdict:
    """Reads from two such collections of a project that does not exist."""
    tally = Tally()
    for name in ("__proto__", "toString"):
        _weigh(look.stranger.get(f"/_tk/data/{UNKNOWN_ID}/{name}"), "that name", tally)
    return tally.verdict()


@check(
    id="origin.no-foreign-reads",
    title="Other sites cannot read answers in a visitor's name",
    area=Area.ORIGIN,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy="header -Access-Control-Allow-Credentials",
        nginx="proxy_hide_header Access-Control-Allow-Credentials;",
        by_hand="Never answer a foreign Origin with Access-Control-Allow-Credentials: true. "
        "tinykit needs no such header.",
    ),
)
def other_sites_cannot_read(look: Context) -> Verdict:
    """Asks with a foreign Origin, and reads the headers."""
    tally, evil = Tally(), {"origin": f"https://{_NOBODY}"}
    paths = ((look.web, f"/_tk/data/{UNKNOWN_ID}/tkops"), (look.at_builder(look.web), "/login"))
    for client, path in paths:
        try:
            answer = client.get(path, **evil)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        if answer.status == 429 or answer.status >= 500:
            tally.unseen.append(str(answer))
            continue
        allowed = answer.headers.get("access-control-allow-origin", "nobody")
        mine = answer.headers.get("access-control-allow-credentials", "").lower() == "true"
        line = f"{answer} allows {allowed} to read{', with cookies' if mine else ''}"
        (tally.bad if mine and allowed != "nobody" else tally.good).append(line)
    return tally.verdict()


@check(
    id="origin.unknown-names-refused",
    title="A name that is not the instance's reaches nothing",
    area=Area.ORIGIN,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDER,
    checklist="Protect the builder",
    remedy=Remedy(
        caddy="{\n\tservers {\n\t\tstrict_sni_host on\n\t}\n}\nhttp:// {\n\tabort\n}",
        nginx="server {\n    listen 443 ssl default_server;\n    ssl_reject_handshake on;\n}\n"
        "server { listen 80 default_server; return 444; }",
        by_hand="Let the reverse proxy pass on requests for your own domains only. tinykit takes "
        "any Host, notes it as one of the instance's domains, and puts it into a superuser's "
        "filter as it is.",
    ),
)
def unknown_names_are_refused(look: Context) -> Verdict:
    """Asks for a picture that tinykit has for everybody, under a name that nobody has."""
    control = look.get(look.stranger, PLACEHOLDER)
    if control.status != 200:
        raise CannotLook(f"{control} by its own name, so that a refusal would prove nothing")
    try:
        answer = look.stranger.get(PLACEHOLDER, host=_NOBODY)
    except HungUp:
        return passed(f"by the name {_NOBODY} it hangs up, by its own it answers")
    line = f"{answer}, by the name {_NOBODY}"
    if answer.status == 200 and answer.text.lstrip().startswith("<svg"):
        return failed(f"{line}: tinykit itself")
    if answer.status in REFUSALS or answer.status in {301, 302, 307, 308, 421}:
        return passed(line)
    return unknown(line)


@check(
    id="origin.foreign-bytes-inert",
    title="Uploads and fetched pages can run nothing on this origin",
    area=Area.ORIGIN,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist="Built-in: sandboxed preview",
    remedy=Remedy(
        caddy="@foreign path /_tk/assets/* /api/proxy\nheader @foreign >Content-Security-Policy "
        "\"sandbox; default-src 'none'\"\nheader @foreign >X-Content-Type-Options nosniff",
        nginx="location ~ ^/(_tk/assets/|api/proxy) {\n"
        "    add_header Content-Security-Policy \"sandbox; default-src 'none'\" always;\n"
        "    add_header X-Content-Type-Options nosniff always;\n"
        "    proxy_pass http://127.0.0.1:3000;\n}",
        by_hand="Send `Content-Security-Policy: sandbox` and `X-Content-Type-Options: nosniff` "
        "with everything under /_tk/assets/ and /api/proxy: tinykit gives uploads their own type, "
        "and its proxy anybody's page, on the origin where the builder keeps its session.",
    ),
)
def foreign_bytes_are_inert(look: Context) -> Verdict:
    """Asks for the placeholder picture and for the proxy without an address, and reads headers."""
    tally = Tally()
    for path in (PLACEHOLDER, _PROXY):
        try:
            answer = look.get(look.stranger, path)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        if answer.status != 200 and "Missing url" not in answer.text:
            closed = answer.status in REFUSALS
            (tally.good if closed else tally.unseen).append(f"{answer}, so nothing is shown there")
            continue
        policy = answer.headers.get("content-security-policy", "")
        sniffs = answer.headers.get("x-content-type-options", "").lower() != "nosniff"
        for word, lacks in (("a sandbox", "sandbox" not in policy), ("nosniff", sniffs)):
            line = f"{answer} {'without' if lacks else 'with'} {word}"
            (tally.bad if lacks else tally.good).append(line)
    return tally.verdict()


@check(
    id="origin.builder-apart",
    title="The builder has an origin of its own",
    area=Area.ORIGIN,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist="Built-in: sandboxed preview",
    remedy=Remedy(
        by_hand="Set `builder_domain` in the inventory. On one origin, the scripts of a published "
        "app can read the builder's session of whoever opens it: tinykit keeps it in the browser's "
        "storage, and its preview's sandbox has allow-same-origin, which cannot be mended from "
        "outside."
    ),
)
def builder_is_apart(look: Context) -> Verdict:
    """Asks the published domain for the builder, as somebody who may use the builder."""
    names = look.settings.domains if look.settings else [look.web.target.host]
    published = _on(look.web, names[0])
    answer = look.get(published, "/login")
    if is_page_shell(answer):
        return failed(f"{answer} on {names[0]}: published apps share the builder's origin")
    if look.settings is None:
        raise CannotLook(f"{answer}: a gate, or another domain; the settings would tell which")
    if look.settings.builder_domain is None:
        return failed(f"{names[0]} serves both: the settings name no builder_domain")
    if answer.status in REFUSALS:
        return passed(f"{answer} on {names[0]}; the builder is on {look.settings.builder_domain}")
    return unknown(str(answer))


def _on(client: Client, name: str) -> Client:
    return replace(client, target=replace(client.target, host=name))
