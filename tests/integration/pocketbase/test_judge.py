"""Who passes a gate by an account or by several proofs, asked of PocketBase as the edge asks."""

from __future__ import annotations

import pytest
import requests
from judge_kit import (
    BASIC,
    BASIC_COOKIE,
    CHALLENGE,
    COOKIE,
    JUDGE,
    account_judged,
    asked,
    judged,
    log_in,
)
from pocketbase_kit import Server
from waiting import PATIENCE


def test_login_sets_a_cookie_that_scripts_and_other_sites_cannot_use(
    server: Server, user: dict[str, str]
) -> None:
    value, *attributes = [part.strip() for part in user["set_cookie"].split(";")]
    assert value == f"{COOKIE}={user['token']}"
    assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_refresh_sets_the_cookie_again(server: Server, user: dict[str, str]) -> None:
    answer = requests.post(
        f"{server.url}/api/collections/users/auth-refresh",
        headers={"Authorization": user["token"]},
        timeout=PATIENCE,
    )
    assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}=")


def test_a_user_passes_by_header_or_by_cookie(server: Server, user: dict[str, str]) -> None:
    assert account_judged(server, Authorization=f"Bearer {user['token']}") == 204
    assert account_judged(server, Authorization=user["token"]) == 204
    assert account_judged(server, Cookie=f"{COOKIE}={user['token']}") == 204


def test_a_superuser_passes_too(server: Server) -> None:
    assert (
        account_judged(server, Authorization=str(server.pb._http.headers["Authorization"])) == 204
    )


def test_an_account_of_another_collection_is_known_and_not_enough(server: Server) -> None:
    server.pb.call("POST", "/api/collections", json={"name": "guests", "type": "auth"})
    password = {"password": "password-of-guest", "passwordConfirm": "password-of-guest"}
    made = server.pb.create_record("guests", {"email": "guest@example.com", **password})
    path = f"/api/collections/guests/impersonate/{made['id']}"
    token = server.pb.call("POST", path, json={})["token"]
    assert account_judged(server, Authorization=token) == 403


def test_strangers_are_401(server: Server, user: dict[str, str]) -> None:
    header, payload, _ = user["token"].split(".")
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {header}.{payload}.forged"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": f"{COOKIE}=nonsense"},
        {"Cookie": f"other={user['token']}"},
    ):
        assert account_judged(server, **headers) == 401, headers


def test_a_file_token_is_no_login(server: Server) -> None:
    assert account_judged(server, Authorization=server.pb.file_token()) == 401


def test_a_changed_password_ends_the_cookie(server: Server) -> None:
    password = {"password": "first-password", "passwordConfirm": "first-password"}
    made = server.pb.create_record("users", {"email": "leaver@example.com", **password})
    cookie = f"{COOKIE}={log_in(server, 'leaver@example.com', 'first-password').json()['token']}"
    assert account_judged(server, Cookie=cookie) == 204
    changed = {"password": "other-password", "passwordConfirm": "other-password"}
    server.pb.update_record("users", made["id"], changed)
    assert account_judged(server, Cookie=cookie) == 401


@pytest.mark.parametrize("separator", ["+", "%2B", "%20", ","])
def test_all_of_two_wants_both(server: Server, account: dict[str, str], separator: str) -> None:
    query = f"need=account{separator}basic&match=all"
    both = {"Cookie": f"{account['Cookie']}; {BASIC_COOKIE}={server.basic_cookie}"}
    assert judged(server, query, **both) == 204
    assert asked(server, query, auth=BASIC, headers=account).status_code == 204
    assert judged(server, query, **account) == 403
    assert asked(server, query, auth=BASIC).status_code == 403
    assert judged(server, query) == 401


def test_any_of_two_is_content_with_one(server: Server, account: dict[str, str]) -> None:
    query = "need=account+basic&match=any"
    assert judged(server, query, **account) == 204
    assert asked(server, query, auth=BASIC).status_code == 204
    assert judged(server, query) == 401


@pytest.mark.parametrize(
    ("need", "match", "bring", "status"),
    [
        ("basic", "all", "", 401),
        ("account", "all", "", 403),
        ("account+basic", "all", "", 401),
        ("account+basic", "all", "account", 401),
        ("account+basic", "all", "basic", 403),
        ("account+basic", "any", "", 401),
        ("account+basic", "any", "basic", 204),
        ("account+basic", "any", "account", 204),
    ],
)
def test_a_page_asks_for_what_is_missing(
    server: Server, account: dict[str, str], need: str, match: str, bring: str, status: int
) -> None:
    """401 lets the browser ask for the password, 403 leads to the login page."""
    headers = account if bring == "account" else {}
    auth = BASIC if bring == "basic" else None
    answer = asked(server, f"need={need}&match={match}&page=1", headers=headers, auth=auth)
    assert answer.status_code == status
    assert answer.headers.get("WWW-Authenticate") == (CHALLENGE if status == 401 else None)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "need=&match=all",
        "need=account",
        "need=account&match=some",
        "need=nothing&match=all",
        "need=account+nothing&match=all",
        "need=constructor&match=any",
        "match=all",
    ],
)
def test_a_question_that_nobody_asks_opens_nothing(
    server: Server, account: dict[str, str], query: str
) -> None:
    assert asked(server, query, headers=account, auth=BASIC).status_code in (401, 403)


def test_without_the_secret_header_even_who_would_pass_is_refused(
    server: Server, account: dict[str, str]
) -> None:
    for wrong in ("", "short", server.token[:-1]):
        answer = server.ask("GET", f"{JUDGE}?need=account&match=all", token=wrong, headers=account)
        assert (answer.status_code, answer.content) == (403, b"")
        assert "WWW-Authenticate" not in answer.headers


def test_without_the_secrets_file_everything_is_closed(
    server: Server, without, account: dict[str, str]
) -> None:
    without("hook-token")
    for path in (f"{JUDGE}?need=account&match=all", "/api/tinykit-ops/limit/writes"):
        assert server.ask("GET", path, headers=account).status_code == 403
        assert server.ask("GET", path, token="", headers=account).status_code == 403
