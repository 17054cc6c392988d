"""Guessing the password of the proof `basic`, asked of a real PocketBase as the edge asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pocketbase_kit import BASIC_PASSWORD, BASIC_USER, Server

from tinykit_ops import layout

MOST = 5
JUDGE = f"{layout.JUDGE_ROUTE}?need=basic&match=all"
RIGHT = (BASIC_USER.encode(), BASIC_PASSWORD.encode())
WRONG = (BASIC_USER.encode(), b"a guess")


@pytest.fixture
def guarded(version: str, template: Path, tmp_path: Path) -> Iterator[Server]:
    """A server that believes the edge's header, and lets nobody guess more than a few times."""
    server = Server(tmp_path, version, template)
    server.guesses = MOST
    try:
        server.start()
        proxy = {"headers": ["X-Forwarded-For"], "useLeftmostIP": False}
        server.pb.update_settings({"trustedProxy": proxy})
        yield server
    finally:
        server.kill()


def judged(server: Server, address: str, auth: tuple[bytes, bytes] | None, cookie: str = "") -> int:
    headers = {"X-Forwarded-For": address, **({"Cookie": cookie} if cookie else {})}
    return int(server.ask("GET", JUDGE, headers=headers, auth=auth).status_code)


def test_who_guesses_too_often_is_not_listened_to_even_with_the_right_password(guarded):
    assert [judged(guarded, "192.0.2.1", WRONG) for _ in range(MOST + 2)] == [401] * MOST + [
        429
    ] * 2
    assert judged(guarded, "192.0.2.1", RIGHT) == 429


def test_others_and_who_has_the_cookie_already_are_not_concerned(guarded):
    for _ in range(MOST):
        judged(guarded, "192.0.2.1", WRONG)
    assert judged(guarded, "192.0.2.2", RIGHT) == 204
    cookie = f"__Host-tinykit_ops_basic={guarded.basic_cookie}"
    assert judged(guarded, "192.0.2.1", None, cookie) == 204
    assert judged(guarded, "192.0.2.1", RIGHT, cookie) == 204
    assert judged(guarded, "192.0.2.1", None) == 401


def test_the_addresses_of_one_customer_of_ipv6_count_as_one(guarded):
    addresses = [f"2001:db8:0:1::{number}" for number in range(1, MOST + 1)]
    assert [judged(guarded, address, WRONG) for address in addresses] == [401] * MOST
    assert judged(guarded, "2001:db8:0:1:ffff::1", RIGHT) == 429
    assert judged(guarded, "2001:db8:0:2::1", RIGHT) == 204


def test_right_passwords_are_no_guesses(guarded):
    assert [judged(guarded, "192.0.2.1", RIGHT) for _ in range(MOST * 2)] == [204] * MOST * 2
