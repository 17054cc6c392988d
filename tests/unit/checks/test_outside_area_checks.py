"""Files, origins, previews, the proxy, headers and disclosure as seen from outside: one thing
broken each, for strangers and for those whom the gate lets in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from checks_certificates import Authority
from checks_imitations import (
    NAME,
    QUIET,
    SHELL,
    Mapped,
    client,
    hardened,
    inside,
    security_txt,
    verdict,
)
from checks_site import FAULTS, Answers, Misbehave, Say, Site, patience, say

from tinykit_ops.checks.answer import MAX_BODY
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import Outcome, Vantage
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.runner import run
from tinykit_ops.edge.probe import UNKNOWN_ID

Look = Callable[..., Context]
OUTSIDE = [
    check for check in all_checks() if check.looks_from in {Vantage.OUTSIDE, Vantage.OUTSIDER}
]
WRITE = f"DELETE /_tk/data/{UNKNOWN_ID}/tkops-check/none"
PICTURE = "/_tk/assets/placeholder.jpg"
PREVIEW = f"/tinykit/preview/{UNKNOWN_ID}"
BARE = say(200, "<svg></svg>", strict_transport_security="max-age=31536000")
KEY = "sk-ant-" + "a1" * 20
TRAVERSED = "/_app/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd"
FETCHED = "/api/proxy?url=http://[::ffff:127.0.0.1]:3000/_tk/assets/placeholder.jpg"


POLLUTION = f"/_tk/data/{UNKNOWN_ID}/__proto__"
NOT_FOUND = say(404, '{"message":"Project not found"}')
#: What strangers get: check, request, answer.
STRANGERS: dict[str, tuple[str, str, Say]] = {
    ".env": ("secrets.files-not-served", "/.env", say(200, "LLM_API_KEY=x\n")),
    ".git": ("secrets.files-not-served", "/.git/config", say(200, "[core]\n\tbare = false")),
    "database": ("secrets.files-not-served", "/pb_data/data.db", say(206, "SQLite format 3\0")),
    "marker": (
        "secrets.files-not-served",
        "/pocketbase/pb_data/.setup_complete",
        say(200, '{"admin_email":"a@b.co"}'),
    ),
    "traversal": ("files.no-traversal", TRAVERSED, say(200, "root:x:0:0:root:/root:/bin/sh\n")),
    "off by a slash": (
        "files.no-traversal",
        "/_app../package.json",
        say(200, '{"name": "tinykit"}'),
    ),
    "any origin": ("origin.writes-exact", WRITE, NOT_FOUND),
    "pollution": ("origin.names-not-polluting", POLLUTION, NOT_FOUND),
    "pollution of functions": (
        "origin.names-not-polluting",
        f"/_tk/data/{UNKNOWN_ID}/toString",
        NOT_FOUND,
    ),
    "any name": ("origin.unknown-names-refused", f"tinykit-ops-check.invalid {PICTURE}", QUIET),
    "uploads run": ("origin.foreign-bytes-inert", f"{NAME} {PICTURE}", BARE),
    "fetched pages run": (
        "origin.foreign-bytes-inert",
        "/api/proxy",
        say(400, "Missing url parameter"),
    ),
    "fetches inside": ("proxy.fetches-nothing-inside", FETCHED, say(200, "<svg></svg>")),
}
#: What somebody gets whom the gate lets in.
INSIDE: dict[str, tuple[str, str, Say]] = {
    "framed": ("builder.not-framed", "/tinykit", SHELL),
    "no sandbox": ("preview.sandboxed", PREVIEW, NOT_FOUND),
    "half a sandbox": (
        "preview.sandboxed",
        PREVIEW,
        say(404, '{"message":"Project not found"}', content_security_policy="sandbox"),
    ),
    "one origin": ("origin.builder-apart", f"{NAME} /login", SHELL),
    "PocketBase gone": ("proxy.same-origin-works", "/_pb/api/health", say(502)),
    "key on the page": ("secrets.bundles-clean", "/", say(200, f"<p>{KEY}</p>")),
    "key in a script": (
        "secrets.bundles-clean",
        "/_app/immutable/entry/a.js",
        say(200, f'let k="{KEY}"'),
    ),
    "reads allowed": (
        "origin.no-foreign-reads",
        f"/_tk/data/{UNKNOWN_ID}/tkops",
        say(
            404,
            access_control_allow_origin="https://tinykit-ops-check.invalid",
            access_control_allow_credentials="true",
        ),
    ),
    "no hsts": (
        "https.hsts",
        f"{NAME} {PICTURE}",
        say(200, "<svg>", x_content_type_options="nosniff", content_security_policy="sandbox"),
    ),
    "an hour of hsts": (
        "https.hsts",
        f"{NAME} {PICTURE}",
        say(200, "<svg>", strict_transport_security="max-age=3600"),
    ),
    "a telling server": (
        "disclosure.quiet-headers",
        f"{NAME} {PICTURE}",
        say(200, "<svg>", server="nginx/1.26.3", strict_transport_security="max-age=31536000"),
    ),
    "no security.txt": ("disclosure.security-txt", "/.well-known/security.txt", say(404)),
    "a page instead": ("disclosure.security-txt", "/.well-known/security.txt", SHELL),
    "expired": ("disclosure.security-txt", "/.well-known/security.txt", security_txt(-1)),
    "in ten years": ("disclosure.security-txt", "/.well-known/security.txt", security_txt(3650)),
    "no contact": (
        "disclosure.security-txt",
        "/.well-known/security.txt",
        security_txt(contact="somebody"),
    ),
    "two expiries": (
        "disclosure.security-txt",
        "/.well-known/security.txt",
        security_txt(100, "Expires: 2030-01-01T00:00:00Z"),
    ),
    "another's": (
        "disclosure.security-txt",
        "/.well-known/security.txt",
        security_txt(100, "Canonical: https://x.example/.well-known/security.txt"),
    ),
}
SCRIPTED = say(200, '<script>__sveltekit_1x={}; import("/_app/immutable/entry/a.js")</script>')


def findings(look: Context) -> dict[str, Outcome]:
    report = run(OUTSIDE, look, "test")
    assert not [result.bug for result in report.results if result.bug]
    outcomes = {result.check.id: result.verdict.outcome for result in report.results}
    return {check: outcome for check, outcome in outcomes.items() if outcome != Outcome.PASS}


def within(path: str, answer: Say | Misbehave) -> Answers:
    return {
        **inside(),
        "/login": SCRIPTED,
        "/_app/immutable/entry/a.js": say(200, "1"),
        path: answer,
    }


@pytest.mark.parametrize("name", STRANGERS)
def test_what_strangers_get_wrongly_is_one_finding_and_no_false_alarm(
    look_at: Look, name: str
) -> None:
    check, path, answer = STRANGERS[name]
    assert findings(look_at({**hardened(), path: answer})) == {check: Outcome.FAIL}


@pytest.mark.parametrize("name", INSIDE)
def test_what_is_wrong_behind_the_gate_is_one_finding_and_no_false_alarm(
    look_at: Look, name: str
) -> None:
    check, path, answer = INSIDE[name]
    look = look_at(within=within(path, answer))
    assert findings(look) == {check: Outcome.FAIL}
    assert KEY not in str(verdict(check, look))


@pytest.mark.parametrize("fault", ["bad gateway", "resets", "never answers"])
@pytest.mark.parametrize("name", ["framed", "no sandbox", "key in a script", "reads allowed"])
def test_what_does_not_answer_behind_the_gate_is_unknown(
    look_at: Look, name: str, fault: str
) -> None:
    check, path, _ = INSIDE[name]
    look = look_at(within=within(path, FAULTS[fault]), timeout=patience(fault))
    assert verdict(check, look).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize(
    "check", ["builder.not-framed", "preview.sandboxed", "proxy.same-origin-works"]
)
def test_what_is_behind_the_gate_is_unknown_to_whom_it_is_closed(look_at: Look, check: str) -> None:
    seen = verdict(check, look_at(within=hardened()))
    assert seen.outcome == Outcome.UNKNOWN
    assert "account" in seen.evidence[0]


def test_scripts_of_a_login_page_that_is_closed_are_not_passed_unseen(look_at: Look) -> None:
    look = look_at(within={**inside(), "/login": say(403)})
    assert verdict("secrets.bundles-clean", look).outcome == Outcome.UNKNOWN


def test_a_refusal_proves_nothing_when_the_own_name_is_refused_too(look_at: Look) -> None:
    look = look_at({**hardened(), PICTURE: say(403)})
    assert verdict("origin.unknown-names-refused", look).outcome == Outcome.UNKNOWN


def test_hanging_up_on_an_unknown_name_is_a_refusal(look_at: Look) -> None:
    key = f"tinykit-ops-check.invalid {PICTURE}"
    seen = verdict("origin.unknown-names-refused", look_at({**hardened(), key: FAULTS["closes"]}))
    assert seen.outcome == Outcome.PASS
    assert "hangs up" in seen.evidence[0]


def test_the_edges_own_authority_needs_no_hsts(look_at: Look) -> None:
    look = look_at(within={**inside(), PICTURE: say(200, "<svg>")})
    assert look.settings
    look.settings = look.settings.model_copy(
        update={"edge": look.settings.edge.model_validate({"tls": {"mode": "internal"}})}
    )
    assert verdict("https.hsts", look).outcome == Outcome.PASS


def test_the_builder_is_looked_for_on_its_own_domain(look_at: Look) -> None:
    look = look_at({**hardened(), "build.example.test /tinykit": SHELL})
    assert verdict("builder.gated", look).outcome == Outcome.FAIL


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (say(200, "x" * MAX_BODY), Outcome.PASS),
        (say(200, "x" * MAX_BODY + "y"), Outcome.UNKNOWN),
        (say(200, "x" * MAX_BODY + KEY), Outcome.UNKNOWN),
        (say(200, KEY + "x" * MAX_BODY), Outcome.FAIL),
        (say(200, "as it is", content_encoding="identity"), Outcome.PASS),
        (say(200, "no gzip", content_encoding="gzip"), Outcome.UNKNOWN),
        (say(200, KEY, content_encoding="gzip"), Outcome.FAIL),
    ],
)
def test_what_was_not_read_of_a_page_is_not_passed(
    look_at: Look, page: Say, outcome: Outcome
) -> None:
    assert verdict("secrets.bundles-clean", look_at(within=within("/", page))).outcome == outcome


# Writes.

PATCH = WRITE.replace("DELETE", "PATCH")
FROM_OWN = f"from https://{NAME}"
NO_METHOD = say(405, "method not allowed")
DATA = f"/_tk/data/{UNKNOWN_ID}/tkops"


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({WRITE: NO_METHOD, PATCH: NOT_FOUND}, Outcome.FAIL),
        ({WRITE: NO_METHOD, PATCH: say(403), f"{PATCH} {FROM_OWN}": NOT_FOUND}, Outcome.PASS),
        ({WRITE: NO_METHOD, PATCH: NO_METHOD, DATA: NOT_FOUND}, Outcome.UNKNOWN),
        ({WRITE: NO_METHOD, PATCH: say(429), DATA: NOT_FOUND}, Outcome.UNKNOWN),
        ({WRITE: say(403), PATCH: say(403), DATA: say(401)}, Outcome.PASS),
    ],
)
def test_a_method_that_is_refused_to_every_origin_does_not_prove_that_origins_are_compared(
    look_at: Look, answers: Answers, outcome: Outcome
) -> None:
    own = f"{WRITE} {FROM_OWN}"
    look = look_at({**hardened(), own: answers[WRITE], **answers})
    assert verdict("origin.writes-exact", look).outcome == outcome


def test_the_probes_of_writes_name_no_project_and_carry_nothing(
    serve: Callable[..., Site], authority: Authority
) -> None:
    site = serve({}, NO_METHOD, tls=authority.context())
    one = client(Mapped({443: site.port}))
    one.ca_file = Path(authority.ca_file)
    verdict("origin.writes-exact", Context(client=one))
    sent = {(each.method, each.path) for each in site.requests if each.method != "GET"}
    assert sent == {tuple(WRITE.split()), tuple(PATCH.split())}
    assert {each.body for each in site.requests} == {b""}
