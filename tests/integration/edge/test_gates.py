"""Who passes a gate, asked of a real edge that runs the configuration of a host."""

import pytest
from edge_client import V4, V6
from edge_standins import ACCOUNT_COOKIE, BASIC_COOKIE, RIGHT, WRONG

HERE = ["127.0.0.0/8", "::1"]  # the test's own addresses are on the allowlist
ELSEWHERE = ["192.0.2.0/24", "2001:db8::/48"]
LOGIN = "/_pb/api/collections/users/auth-with-password"

NOBODY = {}
ACCOUNT = {"Cookie": ACCOUNT_COOKIE}
BASIC = {"Authorization": RIGHT}
BASIC_BY_COOKIE = {"Cookie": BASIC_COOKIE}
BOTH = {"Cookie": f"{ACCOUNT_COOKIE}; {BASIC_COOKIE}"}

# What is required, how, who is trusted; then who passes.
GATES = [
    (["account"], "all", ELSEWHERE, [ACCOUNT, BOTH]),
    (["account"], "any", ELSEWHERE, [ACCOUNT, BOTH]),
    (["basic"], "all", ELSEWHERE, [BASIC, BASIC_BY_COOKIE, BOTH]),
    (["allowlist"], "all", HERE, [NOBODY, ACCOUNT, BASIC, BASIC_BY_COOKIE, BOTH]),
    (["allowlist"], "all", ELSEWHERE, []),
    (["account", "allowlist"], "all", HERE, [ACCOUNT, BOTH]),
    (["account", "allowlist"], "all", ELSEWHERE, []),
    (["account", "allowlist"], "any", HERE, [NOBODY, ACCOUNT, BASIC, BASIC_BY_COOKIE, BOTH]),
    (["account", "allowlist"], "any", ELSEWHERE, [ACCOUNT, BOTH]),
    (["account", "basic"], "all", ELSEWHERE, [BOTH]),
    (["account", "basic"], "any", ELSEWHERE, [ACCOUNT, BASIC, BASIC_BY_COOKIE, BOTH]),
    (["basic", "allowlist"], "any", HERE, [NOBODY, ACCOUNT, BASIC, BASIC_BY_COOKIE, BOTH]),
    (["account", "basic", "allowlist"], "all", HERE, [BOTH]),
    (["account", "basic", "allowlist"], "all", ELSEWHERE, []),
]
GATED = {
    "/api/projects": "tinykit",
    "/tinykit": "tinykit",
    "/api/projects/x/export": "tinykit",
    "/_pb/api/collections/_tk_projects/records": "pocketbase",
    "/_pb/_/": "pocketbase",
    "/_pb/api/settings": "pocketbase",
}


@pytest.mark.parametrize(("require", "match", "trusted", "passing"), GATES)
def test_a_gate_lets_those_in_who_bring_the_proofs(edge, require, match, trusted, passing):
    gate = {"require": require, "match": match}
    running = edge(access={"builder": gate, "admin": gate, "allowlist": trusted})
    for path, server in GATED.items():
        for who in (NOBODY, ACCOUNT, BASIC, BASIC_BY_COOKIE, BOTH):
            for at in (V4, V6):
                status, _, body, _ = running.ask(path, at=at, **who)
                passed = status == 200 and body == server
                assert passed == (who in passing), (path, who, at, status)


@pytest.mark.parametrize(("require", "match", "trusted", "passing"), GATES)
def test_the_doors_ask_for_no_account_but_for_everything_else(
    edge, require, match, trusted, passing
):
    running = edge(access={"builder": {"require": require, "match": match}, "allowlist": trusted})
    asks_account = "account" in require
    other = [proof for proof in require if proof != "account"]
    if asks_account and (match == "any" or not other):
        expected = True
    elif match == "any":
        expected = "allowlist" in other and trusted == HERE
    else:
        expected = "basic" not in other and not ("allowlist" in other and trusted == ELSEWHERE)
    for at in (V4, V6):
        assert (running.ask("/login", at=at)[0] == 200) == expected
        assert (running.ask(LOGIN, "POST", body="{}", at=at)[0] == 200) == expected


def test_a_page_sends_a_stranger_to_the_login_page_and_a_call_gets_a_status(edge):
    running = edge()
    for path in ("/tinykit", "/tinykit/studio?id=1", "/tinykit/preview/x"):
        answer = running.ask(path)
        assert (answer.status, answer.headers["location"]) == (302, "/login"), path
    for path in ("/api/projects", "/_pb/api/collections/users/records"):
        answer = running.ask(path)
        assert (answer.status, answer.body) == (401, "")
        assert "www-authenticate" not in answer.headers
    assert running.ask("/api/projects", Authorization="Bearer other").status == 403


def test_a_page_lets_the_browser_ask_for_the_password_and_a_call_never_does(edge):
    running = edge(access={"builder": {"require": ["basic"]}})
    for path in ("/tinykit", "/login"):
        for headers in (NOBODY, {"Authorization": WRONG}):
            answer = running.ask(path, **headers)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
    for path in ("/api/projects", LOGIN, "/_pb/api/health"):
        for headers in (NOBODY, {"Authorization": WRONG}, {"Authorization": "Bearer good"}):
            answer = running.ask(path, "POST", body="{}", **headers)
            assert answer.status in {401, 403}
            assert "www-authenticate" not in answer.headers, path
    assert running.tinykit.asked == running.pocketbase.asked == []


def test_with_an_account_instead_of_the_password_the_challenge_shows_the_way_to_the_login(edge):
    running = edge(access={"builder": {"require": ["account", "basic"], "match": "any"}})
    answer = running.ask("/tinykit")
    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert "/login" in answer.body
    assert running.ask("/login").status == 200


def test_after_the_password_a_page_still_asks_for_the_account(edge):
    running = edge(access={"builder": {"require": ["account", "basic"], "match": "all"}})
    assert running.ask("/tinykit").status == 401
    answer = running.ask("/tinykit", Authorization=RIGHT)
    assert (answer.status, answer.headers["location"]) == (302, "/login")
    assert running.ask("/login", Authorization=RIGHT).status == 200


@pytest.mark.parametrize("path", ["/tinykit", "/api/projects", "/_pb/_/"])
def test_the_right_password_brings_a_cookie_along_with_the_answer(edge, path):
    gate = {"require": ["basic"]}
    running = edge(access={"builder": gate, "admin": gate})
    own = "own=1; Path=/"
    answer = running.ask(path, told={"headers": {"Set-Cookie": own}}, Authorization=RIGHT)
    assert answer.status == 200
    assert own in answer.cookies
    (gift,) = [cookie for cookie in answer.cookies if cookie != own]
    assert gift == f"{BASIC_COOKIE}; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert running.ask(path, Cookie=gift.split(";")[0]).cookies == []


@pytest.mark.parametrize("given", [RIGHT, "basic eA==", "BASIC   x", "Bearer x, Basic y"])
def test_a_password_goes_to_the_judge_and_to_nobody_behind_the_edge(edge, given):
    running = edge(access={"builder": {"require": ["basic"]}})
    running.ask("/", Authorization=given)
    running.ask("/tinykit", Authorization=given, Cookie=BASIC_COOKIE)
    running.ask("/_pb/api/health", Authorization=given, Cookie=BASIC_COOKIE)
    passed = [*running.tinykit.asked, *running.pocketbase.asked]
    assert len(passed) == 3
    assert not any("authorization" in request.headers for request in passed)


def test_a_token_of_the_builder_passes_on_untouched(edge):
    running = edge(access={"builder": {"require": ["basic"]}})
    running.ask("/api/projects", Authorization="Bearer x", Cookie=BASIC_COOKIE)
    (request,) = running.tinykit.asked
    assert request.headers["authorization"] == "Bearer x"


def test_an_empty_allowlist_shuts_the_administration_and_nothing_else(edge):
    running = edge()
    for path in ("/_pb/_/", "/_pb/api/settings", "/_pb/api/collections/_superusers/records"):
        assert running.ask(path, **BOTH).status == 403
    assert running.ask("/").body == "tinykit"
    assert running.pocketbase.asked == []


def test_a_refused_address_is_not_sent_to_the_login_page(edge):
    gate = {"require": ["account", "allowlist"], "match": "all"}
    running = edge(access={"builder": gate, "allowlist": ELSEWHERE})
    answer = running.ask("/tinykit")
    assert answer.status == 403
    assert "location" not in answer.headers


def test_the_hooks_secret_goes_to_the_judge_and_to_nobody_else(edge):
    running = edge()
    answers = [running.ask(path, **ACCOUNT) for path in ("/", "/tinykit", "/_pb/api/health")]
    assert all(answer.status == 200 for answer in answers)
    assert not any("the-secret" in f"{answer.headers}{answer.body}" for answer in answers)
    passed = [*running.tinykit.asked, *running.pocketbase.asked]
    assert not any("the-secret" in str(request.headers) for request in passed)
    assert len(running.pocketbase.questions) == 2


def test_the_judge_is_asked_without_the_body_and_the_server_behind_gets_it(edge):
    running = edge()
    answer = running.ask("/api/projects", "POST", body='{"name":"x"}', **ACCOUNT)
    assert answer.status == 200
    (question,) = running.pocketbase.questions
    assert (question.method, question.body) == ("GET", b"")
    (request,) = running.tinykit.asked
    assert (request.method, request.body) == ("POST", b'{"name":"x"}')


def test_nobody_passes_while_the_judge_is_away(edge):
    running = edge()
    running.pocketbase.end()
    answer = running.ask("/api/projects", **ACCOUNT)
    assert answer.status in {502, 503}
    assert running.tinykit.asked == []
    assert running.ask("/").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/_pb/api/tinykit-ops/judge",
        "/_pb/api/tinykit-ops/limit/writes",
        "/_pb/API/tinykit-ops/snapshot",
        "/api/setup/x",
        "/setup",
        "/_tk/data/abc/%5f_proto__",
    ],
)
def test_what_is_nobodys_is_404_and_never_passed_on(edge, path):
    running = edge(access={"builder": {"require": ["allowlist"]}, "allowlist": HERE})
    assert running.ask(path, "POST", body="{}").status == 404
    assert running.tinykit.asked == running.pocketbase.asked == []
