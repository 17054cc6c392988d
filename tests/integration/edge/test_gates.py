"""Who passes a gate, asked of a real edge that runs the configuration of a host."""

import http.client

import pytest

HERE = "127.0.0.0/8"  # the test's own address is on the allowlist
ELSEWHERE = "192.0.2.0/24"
LOGIN = "/_pb/api/collections/users/auth-with-password"
COOKIE = {"Cookie": "__Host-tinykit_ops=good"}

# What is required, how, who is trusted; then who passes: nobody known, and an account.
GATES = [
    (["account"], "all", ELSEWHERE, False, True),
    (["account"], "any", ELSEWHERE, False, True),
    (["allowlist"], "all", HERE, True, True),
    (["allowlist"], "all", ELSEWHERE, False, False),
    (["account", "allowlist"], "all", HERE, False, True),
    (["account", "allowlist"], "all", ELSEWHERE, False, False),
    (["account", "allowlist"], "any", HERE, True, True),
    (["account", "allowlist"], "any", ELSEWHERE, False, True),
]


@pytest.mark.parametrize(("require", "match", "trusted", "stranger", "account"), GATES)
def test_a_gate_lets_those_in_who_bring_the_proofs(
    edge, require, match, trusted, stranger, account
):
    gate = {"require": require, "match": match}
    running = edge(access={"builder": gate, "admin": gate, "allowlist": [trusted]})
    for path, server in {
        "/api/projects": "tinykit",
        "/tinykit": "tinykit",
        "/api/projects/x/export": "tinykit",
        "/_pb/api/collections/_tk_projects/records": "pocketbase",
        "/_pb/_/": "pocketbase",
        "/_pb/api/settings": "pocketbase",
    }.items():
        for headers, passes in (({}, stranger), (COOKIE, account)):
            status, _, body, _ = running.ask(path, **headers)
            assert (status == 200 and body == server) == passes, (path, headers, status)


@pytest.mark.parametrize(("require", "match", "trusted", "stranger", "account"), GATES)
def test_the_doors_of_the_builder_ask_for_no_account_but_for_the_address(
    edge, require, match, trusted, stranger, account
):
    gate = {"require": require, "match": match}
    running = edge(access={"builder": gate, "allowlist": [trusted]})
    address_needed = "allowlist" in require and not (match == "any" and "account" in require)
    opens = not address_needed or trusted == HERE
    assert (running.ask("/login")[0] == 200) == opens
    assert (running.ask(LOGIN, "POST", body="{}")[0] == 200) == opens


def test_a_page_sends_a_stranger_to_the_login_page_and_a_call_gets_a_status(edge):
    running = edge()
    status, headers, *_ = running.ask("/tinykit/studio")
    assert (status, headers["location"]) == (302, "/login")
    assert running.ask("/api/projects")[0] == 401


def test_an_empty_allowlist_shuts_the_administration_and_nothing_else(edge):
    running = edge()
    for path in ("/_pb/_/", "/_pb/api/settings", "/_pb/api/collections/_superusers/records"):
        assert running.ask(path, **COOKIE)[0] == 403
    assert running.ask("/")[2] == "tinykit"
    assert running.pocketbase == []


def test_the_hooks_secret_goes_to_the_judge_and_to_nobody_else(edge):
    running = edge()
    answers = [running.ask(path, **COOKIE) for path in ("/", "/tinykit", "/_pb/api/health")]
    assert all(status == 200 for status, _, _ in answers)
    assert not any("the-secret" in f"{headers}{body}" for _, headers, body in answers)
    passed = [*running.tinykit, *running.pocketbase]
    told = {path.split("?")[0] for path, headers in passed if "x-tinykit-ops-token" in headers}
    assert told == {"/api/tinykit-ops/judge/users"}


@pytest.mark.parametrize(
    "path",
    [
        "/_pb/api/tinykit-ops/judge/users",
        "/_PB/API/tinykit-ops/snapshot",
        "/_pb/x/..%2fapi/tinykit-ops/judge/users",
        "/api/setup/x",
        "/_tk/data/abc/%5f_proto__",
    ],
)
def test_what_is_nobodys_is_404_and_never_passed_on(edge, path):
    running = edge(access={"builder": {"require": ["allowlist"]}, "allowlist": [HERE]})
    assert running.ask(path, "POST", body="{}")[0] == 404
    assert running.tinykit == running.pocketbase == []


def test_a_claimed_address_counts_for_nothing(edge):
    running = edge(access={"builder": {"require": ["allowlist"]}, "allowlist": [ELSEWHERE]})
    claims = dict.fromkeys(("X_Forwarded_For", "X_Real_Ip", "Forwarded"), "192.0.2.1")
    assert running.ask("/api/projects", **claims)[0] == 403
    running.ask("/", **claims)
    (_, headers) = running.tinykit[-1]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"


def test_only_the_listed_names_reach_the_app(edge):
    running = edge()
    assert running.ask("/", host="evil.example")[0] == 421
    assert running.ask("/", host="www.apps.example.com")[0] == 421
    assert running.tinykit == []


def test_plain_http_leads_to_https_and_other_names_are_hung_up_on(edge):
    running = edge()
    status, headers, *_ = running.ask_plainly("/x?y=1")
    assert (status, headers["location"]) == (308, "https://apps.example.com/x?y=1")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        running.ask_plainly("/", host="evil.example")


def test_the_log_holds_no_secret(edge):
    running = edge()
    running.ask(
        "/tinykit?token=secret-1&access_token=secret-2",
        Cookie="a=secret-3",
        Authorization="Bearer secret-4",
        X_Tinykit_Ops_Token="secret-5",
    )
    text = running.log.read_text()
    assert "/tinykit" in text
    assert "secret-" not in text
    assert "the-secret" not in text
