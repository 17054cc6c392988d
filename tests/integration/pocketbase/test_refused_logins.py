"""Refused logins in the journal, as fail2ban reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from pocketbase_kit import BASIC_PASSWORD, BASIC_USER, EMAIL, PASSWORD, Server
from waiting import PATIENCE

LINE = re.compile(r"tinykit-ops: login refused from (\S+) \((users|_superusers|basic)\)$", re.M)
USER = "person@example.com"


@pytest.fixture(scope="module", autouse=True)
def person(server: Server) -> None:
    secret = {"password": "password-of-person", "passwordConfirm": "password-of-person"}
    server.pb.create_record("users", {"email": USER, **secret})


@pytest.fixture
def told(server: Server) -> Iterator[object]:
    """The refusals since the test's beginning, as (address, what)."""
    before = len(server.log_text())
    yield lambda: LINE.findall(server.log_text()[before:])


def log_in(
    server: Server, collection: str, email: str, password: str, **headers: str
) -> requests.Response:
    return requests.post(
        f"{server.url}/api/collections/{collection}/auth-with-password",
        json={"identity": email, "password": password},
        headers=headers,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("collection", ["users", "_superusers"])
@pytest.mark.parametrize("email", [USER, EMAIL, "nobody@example.com", "canary no address"])
def test_a_wrong_name_or_password_is_one_line_without_either(
    server: Server, told, collection: str, email: str
) -> None:
    answer = log_in(server, collection, email, "canary-password")
    assert answer.status_code == 400
    assert answer.json() == {"data": {}, "message": "Failed to authenticate.", "status": 400}
    assert told() == [("127.0.0.1", collection)]
    assert "canary" not in server.log_text() and email not in server.log_text()


def test_a_login_that_succeeds_or_is_no_login_at_all_is_no_refusal(server: Server, told) -> None:
    assert log_in(server, "users", USER, "password-of-person").status_code == 200
    assert log_in(server, "_superusers", EMAIL, PASSWORD).status_code == 200
    assert log_in(server, "users", "", "").status_code == 400
    assert told() == []


def test_an_account_that_may_not_log_in_is_refused_as_before(server: Server, told) -> None:
    server.pb.update_collection("users", {"authRule": "verified = true"})
    try:
        assert log_in(server, "users", USER, "password-of-person").status_code == 403
    finally:
        server.pb.update_collection("users", {"authRule": ""})
    assert told() == [("127.0.0.1", "users")]


def test_the_collections_id_is_counted_as_its_name(server: Server, told) -> None:
    users = next(row for row in server.pb.collections() if row["name"] == "users")
    log_in(server, users["id"], USER, "wrong-password")
    assert told() == [("127.0.0.1", "users")]


def test_the_address_is_the_one_that_the_edge_vouches_for(server: Server, told) -> None:
    server.pb.update_settings({"trustedProxy": {"headers": ["X-Forwarded-For"]}})
    try:
        for forwarded in ("203.0.113.9", "2001:db8::9", "x\n(users)".replace("\n", " ")):
            log_in(server, "users", USER, "wrong", **{"X-Forwarded-For": forwarded})
    finally:
        server.pb.update_settings({"trustedProxy": {"headers": []}})
    addresses = ["203.0.113.9", "2001:0db8:0000:0000:0000:0000:0000:0009", "127.0.0.1"]
    assert told() == [(address, "users") for address in addresses]


def test_a_wrong_basic_password_is_a_refusal_and_asking_for_it_is_none(
    server: Server, told
) -> None:
    path = "/api/tinykit-ops/judge?need=basic&match=all&page=1"
    assert server.ask("GET", path).status_code == 401
    assert server.ask("GET", path, auth=(BASIC_USER, BASIC_PASSWORD.encode())).status_code == 204
    assert told() == []
    assert server.ask("GET", path, auth=("canary-user", "canary-password")).status_code == 401
    assert told() == [("127.0.0.1", "basic")]
    assert "canary" not in server.log_text()
