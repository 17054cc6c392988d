"""Who passes a gate, asked of a real PocketBase as the edge asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from pocketbase_kit import BASIC_PASSWORD, BASIC_USER, Server

COOKIE = "__Host-tinykit_ops"
BASIC_COOKIE = "__Host-tinykit_ops_basic"
JUDGE = "/api/tinykit-ops/judge"
CHALLENGE = 'Basic realm="tinykit", charset="UTF-8"'
BASIC = (BASIC_USER.encode(), BASIC_PASSWORD.encode())


@pytest.fixture(scope="module")
def user(server: Server) -> dict[str, str]:
    account = {"email": "user@example.com", "password": "password-of-user"}
    server.pb.create_record("users", {**account, "passwordConfirm": account["password"]})
    answer = log_in(server, account["email"], account["password"])
    return {**account, "token": answer.json()["token"], "set_cookie": answer.headers["Set-Cookie"]}


@pytest.fixture
def account(user: dict[str, str]) -> dict[str, str]:
    """What proves an account."""
    return {"Cookie": f"{COOKIE}={user['token']}"}


@pytest.fixture
def without(server: Server) -> Iterator[object]:
    """Take credentials of the unit away; they come back."""

    def take(name: str, instead: str | None = None) -> None:
        path = server.credentials / name
        path.unlink() if instead is None else path.write_text(instead)

    yield take
    server.write_credentials()


def log_in(server: Server, email: str, password: str) -> requests.Response:
    return requests.post(
        f"{server.url}/api/collections/users/auth-with-password",
        json={"identity": email, "password": password},
        timeout=30,
    )


def asked(server: Server, query: str, **extra: object) -> requests.Response:
    answer: requests.Response = server.ask("GET", f"{JUDGE}?{query}", **extra)
    assert answer.content == b""
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401 and "page" in query)
    assert COOKIE + "=" not in answer.headers.get("Set-Cookie", "")
    return answer


def judged(server: Server, query: str, **headers: str) -> int:
    return int(asked(server, query, headers=headers).status_code)


def account_judged(server: Server, **headers: str) -> int:
    return judged(server, "need=account&match=all", **headers)


# An account --------------------------------------------------------------------------------------


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
        timeout=30,
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


# A name and a password ---------------------------------------------------------------------------


def test_the_right_name_and_password_pass_and_are_changed_for_a_cookie(server: Server) -> None:
    answer = asked(server, "need=basic&match=all&page=1", auth=BASIC)
    assert answer.status_code == 204
    value, *attributes = [part.strip() for part in answer.headers["Set-Cookie"].split(";")]
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert judged(server, "need=basic&match=all", Cookie=value) == 204
    assert value == f"{BASIC_COOKIE}={server.basic_cookie}"


@pytest.mark.parametrize(
    "auth",
    [
        (BASIC_USER, "wrong"),
        (BASIC_USER, ""),
        ("", BASIC_PASSWORD.encode()),
        ("other", BASIC_PASSWORD.encode()),
        (BASIC_USER.upper(), BASIC_PASSWORD.encode()),
        (BASIC_USER, BASIC_PASSWORD.encode() + b"\n"),
        (BASIC_USER, BASIC_PASSWORD.encode()[:-1]),
        ("", ""),
    ],
)
def test_a_wrong_name_or_password_gets_no_cookie(server: Server, auth: tuple[str, str]) -> None:
    answer = asked(server, "need=basic&match=all", auth=auth)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("value", ["", "x", "nonsense" * 8])
def test_a_wrong_cookie_is_no_proof(server: Server, value: str) -> None:
    assert judged(server, "need=basic&match=all", Cookie=f"{BASIC_COOKIE}={value}") == 401


@pytest.mark.parametrize(
    "header", ["Basic", "Basic %%%", "Basic bm9jb2xvbg==", "basic", "Digest x"]
)
def test_a_broken_header_is_no_proof(server: Server, header: str) -> None:
    assert judged(server, "need=basic&match=all", Authorization=header) == 401


@pytest.mark.parametrize("instead", [None, "", "\n"])
def test_without_its_secrets_basic_is_closed(server: Server, without, instead: str | None) -> None:
    without("access-basic-password", instead)
    without("basic-cookie", instead)
    for auth in (BASIC, (BASIC_USER, ""), ("", "")):
        assert asked(server, "need=basic&match=all", auth=auth).status_code == 401
    assert judged(server, "need=basic&match=all", Cookie=f"{BASIC_COOKIE}=") == 401


def test_a_short_cookie_secret_counts_as_none(server: Server, without) -> None:
    without("basic-cookie", "short")
    assert judged(server, "need=basic&match=all", Cookie=f"{BASIC_COOKIE}=short") == 401


# Both --------------------------------------------------------------------------------------------


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
