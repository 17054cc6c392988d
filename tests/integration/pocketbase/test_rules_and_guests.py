"""What the checks say about a rule, and what PocketBase itself does for a guest under it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pocketbase_kit import PATIENCE, Server

from tinykit_ops.checks.rules import Guests, guests_by

_BASE = {"name": "judged", "type": "base", "listRule": None}
KEEP_OUT = [
    "@request.auth.id != ''",
    '@request.auth.id!=""',
    "id = @request.auth.id",
    "@request.auth.id = id",
    "@request.auth.verified = true",
    "@request.auth.email = 'a || b'",
    "@request.auth.email != ''",
    "@request.auth.id != null",
    "@request.auth.id ?!= ''",
    "owner = @request.auth.id",
    "owner.id ?= @request.auth.id",
    "@request.auth.id != '' && (title = 'x' || title != 'x')",
    "id != '' // || id != ''\n && @request.auth.id != ''",
]
LET_IN = [
    "",
    "id != ''",
    "1 = 1",
    "@request.auth.id != '' || id != ''",
    "@request.auth.id != '' // && x\n || id != ''",
    "id != \"&& @request.auth.id != '' &&\"",
]
#: Of these some let a guest in, and all of them would pass a look for empty rules.
UNCLEAR = ["editor = @request.auth.id", "@request.auth.name != 'guest'", "@request.auth.id != ' '"]


@pytest.fixture(scope="module")
def judged(server: Server) -> Iterator[Server]:
    """A collection with one record, which has an owner and no editor."""
    user = server.pb.create_record(
        "users", {"email": "o@example.com", "password": "x" * 12, "passwordConfirm": "x" * 12}
    )
    users = next(each["id"] for each in server.pb.collections() if each["name"] == "users")
    fields: list[dict[str, Any]] = [
        {"name": "title", "type": "text"},
        {"name": "owner", "type": "relation", "collectionId": users, "required": True},
        {"name": "editor", "type": "relation", "collectionId": users},
    ]
    server.pb.call("POST", "/api/collections", json={**_BASE, "fields": fields})
    server.pb.create_record("judged", {"title": "private", "owner": user["id"]})
    yield server
    server.pb.call("DELETE", "/api/collections/judged")


def _seen_by_a_guest(server: Server, rule: str) -> int:
    server.pb.update_collection("judged", {"listRule": rule})
    address = f"{server.url}/api/collections/judged/records"
    answer = requests.get(address, timeout=PATIENCE)
    answer.raise_for_status()
    return len(answer.json()["items"])


@pytest.mark.parametrize("rule", KEEP_OUT)
def test_what_is_said_to_keep_guests_out_shows_a_guest_nothing(judged: Server, rule: str) -> None:
    assert guests_by(rule, {"owner"}, private=False) == Guests.KEPT_OUT
    assert _seen_by_a_guest(judged, rule) == 0


@pytest.mark.parametrize("rule", LET_IN)
def test_what_is_said_to_let_guests_in_shows_a_guest_the_record(judged: Server, rule: str) -> None:
    assert guests_by(rule, {"owner"}, private=False) == Guests.LET_IN
    assert _seen_by_a_guest(judged, rule) == 1


@pytest.mark.parametrize("rule", UNCLEAR)
def test_what_shows_a_guest_a_record_in_a_roundabout_way_is_not_passed(
    judged: Server, rule: str
) -> None:
    assert guests_by(rule, {"owner"}, private=False) == Guests.UNCLEAR
    assert _seen_by_a_guest(judged, rule) == 1
