"""Who passes a gate by a name and a password, asked of a real PocketBase as the edge asks it."""

from __future__ import annotations

import pytest
from judge_kit import (
    BASIC,
    BASIC_COOKIE,
    asked,
    judged,
)
from pocketbase_kit import BASIC_PASSWORD, BASIC_USER, Server


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
