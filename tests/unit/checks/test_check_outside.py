"""The checks that look from outside, each against sites that are right, wrong and unreadable."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from checks_certificates import NAME, Authority
from checks_imitations import (
    NO_TOKEN,
    ONLY_SUPERUSERS,
    PICTURE,
    SHELL,
    Mapped,
    client,
    hardened,
    raw,
    verdict,
)
from checks_site import FAULTS, Answers, Say, Site, say

from tinykit_ops.checks.context import Context, Stance
from tinykit_ops.checks.manners import MAX_REQUESTS, ON_HOST_REQUESTS
from tinykit_ops.checks.model import Outcome, Vantage
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.runner import run
from tinykit_ops.edge.probe import UNKNOWN_ID
from tinykit_ops.settings.model import Settings

Look = Callable[..., Context]
Serve = Callable[..., Site]
OUTSIDE = [
    check for check in all_checks() if check.looks_from in {Vantage.OUTSIDE, Vantage.OUTSIDER}
]
GATED = {
    "builder.gated",
    "builder.no-way-around",
    "builder.setup-closed",
    "builder.dangerous-routes-closed",
    "proxy.dashboard-gated",
}


def outcomes(look: Context) -> dict[str, Outcome]:
    report = run(OUTSIDE, look, "test")
    assert not [result.bug for result in report.results if result.bug]
    return {result.check.id: result.verdict.outcome for result in report.results}


def settings(**access: object) -> Settings:
    return Settings.model_validate(
        {
            "domains": [NAME],
            "admin_email": "you@example.com",
            "app": {"git": "https://git.example.com/tinykit", "commit": "0" * 40},
            "access": {"allowlist": ["203.0.113.7"], **access},
            "edge": {"tls": {"mode": "internal"}},
        }
    )


def test_a_hardened_site_passes_everything(look_at: Look) -> None:
    assert set(outcomes(look_at()).values()) == {Outcome.PASS}


def test_raw_tinykit_behind_https_is_found_out(look_at: Look) -> None:
    seen = outcomes(look_at(raw(), ports={3000: 9, 8091: 9}, stance=Stance.AUTO))
    assert {check for check, outcome in seen.items() if outcome == Outcome.FAIL} >= GATED


REACHED = say(404, '{"error":"Project not found"}')
MUTATIONS: dict[str, tuple[str, str, Say]] = {
    "unclaimed": ("builder.setup-closed", "GET /api/setup", say(200, '{"needs_setup":true}')),
    "claim answers": (
        "builder.setup-closed",
        "POST /api/setup",
        say(400, '{"error":"Setup already completed"}'),
    ),
    "setup page": ("builder.setup-closed", "/setup", SHELL),
    "builder page": ("builder.gated", "/tinykit", SHELL),
    "page data": ("builder.gated", "/tinykit/studio/__data.json", say(200, '{"type":"data"}')),
    "preview": ("builder.gated", f"/tinykit/preview/{UNKNOWN_ID}", REACHED),
    "export": ("builder.gated", f"/api/projects/{UNKNOWN_ID}/export", REACHED),
    "api": ("builder.gated", "/api/projects", say(401, '{"error":"Authentication required"}')),
    "validate": (
        "builder.gated",
        "/api/settings/validate-llm",
        say(400, '{"error":"Missing provider or api_key"}'),
    ),
    "records": (
        "builder.gated",
        "GET /_pb/api/collections/users/records",
        say(200, '{"totalItems":0}'),
    ),
    "percent": ("builder.no-way-around", "/%74inykit", SHELL),
    "slashes": ("builder.no-way-around", "//tinykit", SHELL),
    "dots": ("builder.no-way-around", "/x/../tinykit", SHELL),
    "backslashes": ("builder.no-way-around", "/x\\..\\tinykit", SHELL),
    "migrate": (
        "builder.dangerous-routes-closed",
        "/api/migrate-build-fields",
        say(405, "GET method not allowed"),
    ),
    "oracle": (
        "builder.dangerous-routes-closed",
        "/api/auth/save-server-credentials",
        say(400, '{"error":"Email and password required"}'),
    ),
    "dashboard": ("proxy.dashboard-gated", "/_pb/_/", say(200, "<title>PocketBase</title>")),
    "superusers": (
        "proxy.dashboard-gated",
        "/_pb/api/collections/_superusers/auth-methods",
        say(200, '{"password":{}}'),
    ),
    "settings": ("proxy.dashboard-gated", "/_pb/api/settings", say(401, NO_TOKEN)),
    "backups": ("proxy.dashboard-gated", "/_pb/api/backups", say(401, NO_TOKEN)),
    "logs": ("proxy.dashboard-gated", "/_pb/api/logs", say(401, NO_TOKEN)),
    "sql": ("proxy.dashboard-gated", "/_pb/api/sql", say(404, '{"data":{},"status":404}')),
    "sign-up": (
        "authentication.sign-up-closed",
        "POST /_pb/api/collections/users/records",
        say(400, '{"data":{"password":{"code":"validation_required"}},"status":400}'),
    ),
    "sign-up rule": (
        "authentication.sign-up-closed",
        "POST /_pb/api/collections/users/records",
        say(400, '{"data":{},"message":"Failed to create record.","status":400}'),
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_thing_broken_is_one_finding_and_no_false_alarm(look_at: Look, name: str) -> None:
    check, path, answer = MUTATIONS[name]
    seen = outcomes(look_at({**hardened(), path: answer}))
    assert {each for each, outcome in seen.items() if outcome != Outcome.PASS} == {check}
    assert seen[check] == Outcome.FAIL


@pytest.mark.parametrize("path", sorted({path for _, path, _ in MUTATIONS.values()}))
@pytest.mark.parametrize("fault", ["captive portal", "portal redirect", "bad gateway", "resets"])
def test_one_unreadable_answer_is_unknown_never_a_pass(
    look_at: Look, path: str, fault: str
) -> None:
    seen = outcomes(look_at({**hardened(), path: FAULTS[fault]}))
    strange = {check: outcome for check, outcome in seen.items() if outcome != Outcome.PASS}
    if path.startswith(("/%", "//", "/x")) and fault in ("captive portal", "portal redirect"):
        # A page that is not the builder's, where the published app may be, is no way in.
        assert not strange
    else:
        assert strange
        assert set(strange.values()) == {Outcome.UNKNOWN}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_site_that_only_has_faults_passes_no_gate(look_at: Look, fault: str) -> None:
    seen = outcomes(look_at({}, other=FAULTS[fault], timeout=0.3))
    assert Outcome.FAIL not in {seen[check] for check in GATED}
    closed = GATED - {"builder.no-way-around"}
    assert Outcome.PASS not in {seen[check] for check in closed}
    assert seen["authentication.sign-up-closed"] == Outcome.UNKNOWN


def test_a_run_stays_far_below_its_limit_of_requests_and_writes_nothing(look_at: Look) -> None:
    look = look_at()
    outcomes(look)
    assert look.requests < MAX_REQUESTS - ON_HOST_REQUESTS - 10  # logins come on top


def test_only_empty_objects_are_ever_posted(serve: Serve, authority: Authority) -> None:
    site = serve(raw(), tls=authority.context())
    one = client(Mapped({443: site.port}))
    one.ca_file = authority.ca_file
    outcomes(Context(client=one))
    assert {request.method for request in site.requests} == {"GET", "POST", "DELETE"}
    deleted = {request.path for request in site.requests if request.method == "DELETE"}
    assert deleted == {f"/_tk/data/{UNKNOWN_ID}/tkops-check/none"}
    assert {request.body for request in site.requests if request.method == "POST"} == {b"{}"}


# Who looks.


def open_builder() -> Answers:
    return {**hardened(), "/tinykit": SHELL}


def test_an_open_builder_is_unknown_when_this_machine_may_be_on_the_allowlist(
    look_at: Look,
) -> None:
    seen = verdict("builder.gated", look_at(open_builder(), stance=Stance.AUTO))
    assert seen.outcome == Outcome.UNKNOWN
    assert "--from " in seen.evidence[-1]


def test_an_open_builder_is_a_finding_for_a_stranger(look_at: Look) -> None:
    assert verdict("builder.gated", look_at(open_builder())).outcome == Outcome.FAIL


def test_without_any_policy_an_open_builder_is_a_finding_for_anybody(look_at: Look) -> None:
    seen = verdict("builder.gated", look_at(raw(), stance=Stance.AUTO))
    assert seen.outcome == Outcome.FAIL


def test_a_second_vantage_decides(look_at: Look, serve: Serve, authority: Authority) -> None:
    look = look_at(open_builder(), stance=Stance.AUTO)
    there = serve(hardened(), tls=authority.context())
    look.outsider = replace(look.web, dialer=Mapped({443: there.port}))
    assert verdict("builder.gated", look).outcome == Outcome.PASS
    look.outsider = None
    assert verdict("builder.gated", Context(client=look.client)).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("gate", "stance", "expected"),
    [
        ({"require": ["account"]}, Stance.AUTO, Outcome.FAIL),
        ({"require": ["account"]}, Stance.TRUSTED, Outcome.FAIL),
        ({"require": ["allowlist"]}, Stance.AUTO, Outcome.UNKNOWN),
        ({"require": ["allowlist"]}, Stance.STRANGER, Outcome.FAIL),
        ({"require": ["account", "allowlist"], "match": "all"}, Stance.TRUSTED, Outcome.FAIL),
        ({"require": ["account", "allowlist"], "match": "any"}, Stance.AUTO, Outcome.UNKNOWN),
    ],
)
def test_the_settings_say_whether_an_address_can_open_the_gate(
    look_at: Look, gate: dict[str, object], stance: Stance, expected: Outcome
) -> None:
    look = look_at(open_builder(), stance=stance)
    look.settings = settings(builder=gate)
    assert verdict("builder.gated", look).outcome == expected


# Sign-up.


def test_pocketbases_own_refusal_of_sign_up_is_proof(look_at: Look) -> None:
    answers = {
        **hardened(),
        "POST /_pb/api/collections/users/records": say(403, ONLY_SUPERUSERS),
    }
    seen = verdict("authentication.sign-up-closed", look_at(answers))
    assert seen.outcome == Outcome.PASS
    assert "only superusers" in seen.evidence[0]


# HTTPS.


def look_with(serve: Serve, authority: Authority, *names: str, **validity: timedelta) -> Context:
    site = serve(hardened(), tls=authority.context(*names, **validity))
    one = client(Mapped({443: site.port}))
    one.ca_file = authority.ca_file
    return Context(client=one)


def test_a_valid_certificate_passes_with_its_days_as_evidence(
    serve: Serve, authority: Authority
) -> None:
    seen = verdict("https.certificate", look_with(serve, authority))
    assert seen.outcome == Outcome.PASS
    assert "89 days" in seen.evidence[0]


@pytest.mark.parametrize(
    ("age", "life"),
    [(10, 9), (80, 90), (360, 370), (5.5, 6)],
    ids=["expired", "renewal overdue", "a year's, overdue", "short-lived, overdue"],
)
def test_a_certificate_that_ends_or_should_have_been_renewed_fails(
    serve: Serve, authority: Authority, age: float, life: float
) -> None:
    look = look_with(serve, authority, age=timedelta(days=age), life=timedelta(days=life))
    assert verdict("https.certificate", look).outcome == Outcome.FAIL


def test_a_short_lived_certificate_in_its_prime_passes(serve: Serve, authority: Authority) -> None:
    look = look_with(serve, authority, age=timedelta(hours=1), life=timedelta(hours=12))
    assert verdict("https.certificate", look).outcome == Outcome.PASS


def test_a_certificate_for_another_name_fails(serve: Serve, authority: Authority) -> None:
    look = look_with(serve, authority, "other.example.test")
    seen = verdict("https.certificate", look)
    assert seen.outcome == Outcome.FAIL
    assert NAME in seen.evidence[0]


def test_every_domain_of_the_settings_needs_its_certificate(
    serve: Serve, authority: Authority
) -> None:
    look = look_with(serve, authority)
    known = settings()
    look.settings = known.model_copy(update={"domains": [NAME, "second.example.test"]})
    seen = verdict("https.certificate", look)
    assert seen.outcome == Outcome.FAIL
    assert "second.example.test" in seen.evidence[0]


def test_an_unknown_authority_fails(serve: Serve, authority: Authority) -> None:
    look = look_with(serve, authority)
    look.web.ca_file = None
    assert verdict("https.certificate", look).outcome == Outcome.FAIL


def test_a_port_that_speaks_no_tls_is_unknown(serve: Serve) -> None:
    site = serve({}, say(200))
    look = Context(client=client(Mapped({443: site.port}), timeout=1))
    assert verdict("https.certificate", look).outcome == Outcome.UNKNOWN


def test_an_instance_over_http_fails_both_checks(serve: Serve) -> None:
    site = serve(raw())
    look = Context(client=client(Mapped({80: site.port}), "http://apps.example.test"))
    assert verdict("https.certificate", look).outcome == Outcome.FAIL
    assert verdict("https.redirect", look).outcome == Outcome.FAIL


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (say(308, "", location="https://apps.example.test/"), Outcome.PASS),
        (say(302, "", location="http://apps.example.test/login"), Outcome.FAIL),
        (say(302, "", location="/login"), Outcome.FAIL),
        (PICTURE, Outcome.FAIL),
        (say(404), Outcome.FAIL),
        (say(503), Outcome.UNKNOWN),
    ],
)
def test_plain_http_may_only_lead_to_https(serve: Serve, answer: Say, expected: Outcome) -> None:
    plain = serve({}, answer)
    look = Context(client=client(Mapped({80: plain.port})))
    assert verdict("https.redirect", look).outcome == expected


def test_a_closed_plain_port_passes_and_a_silent_one_is_unknown() -> None:
    closed = Context(client=client(Mapped({})))
    assert verdict("https.redirect", closed).outcome == Outcome.PASS
    silent = Context(client=client(Mapped({}, silent={80})))
    assert verdict("https.redirect", silent).outcome == Outcome.UNKNOWN


# Ports.


@pytest.mark.parametrize("port", [3000, 8091])
def test_an_open_port_beside_the_proxy_fails(look_at: Look, serve: Serve, port: int) -> None:
    look = look_at(ports={port: serve().port})
    seen = verdict("network.ports-closed", look)
    assert seen.outcome == Outcome.FAIL
    assert str(port) in seen.evidence[0]


def test_ports_that_refuse_or_drop_are_closed(look_at: Look) -> None:
    assert verdict("network.ports-closed", look_at()).outcome == Outcome.PASS
    assert verdict("network.ports-closed", look_at(silent={3000, 8091})).outcome == Outcome.PASS


def test_a_host_that_answers_on_no_port_at_all_is_unknown() -> None:
    look = Context(client=client(Mapped({}, silent={443, 3000, 8091})))
    assert verdict("network.ports-closed", look).outcome == Outcome.UNKNOWN


def test_ports_cannot_be_judged_from_the_host_itself(serve: Serve) -> None:
    one = client(Mapped({}))
    one.target = replace(one.target, overrides={(NAME, 443): ("127.0.0.1",)})
    seen = verdict("network.ports-closed", Context(client=one))
    assert seen.outcome == Outcome.UNKNOWN
    assert "look from outside" in seen.evidence[0]
