"""Rules of PocketBase that let guests pass without being empty, and those that do not.

`tests/integration/pocketbase/test_rules_and_guests.py` asks PocketBase itself about the same.
"""

from __future__ import annotations

import pytest
from checks_imitations import verdict
from checks_pocketbase import FakePocketBase, known_to

from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.rules import Guests, guests_by

BUILT_IN = (
    "@request.auth.id != '' && recordRef = @request.auth.id && "
    "collectionRef = @request.auth.collectionId"
)
KEEP_OUT = [
    "@request.auth.id != ''",
    '@request.auth.id!=""',
    "id = @request.auth.id",
    "@request.auth.verified = true",
    "@request.auth.role = 'a || b'",
    "owner = @request.auth.id",
    "owner.id = @request.auth.id || @request.auth.id = owner",
    "@request.auth.id != '' && (title = 'x' || public = true)",
    "(@request.auth.id != '' || @request.auth.role = 'admin') && id != ''",
    "id != '' // || id != ''\n && @request.auth.id != ''",
    BUILT_IN,
]
LET_IN = [
    "",
    "id != ''",
    "1 = 1",
    "@request.auth.id != '' || id != ''",
    "@request.auth.id != '' || (1 = 1 && created != '')",
    "@request.auth.id != '' // && x\n || id != ''",
    "id != \"&& @request.auth.id != '' &&\"",
]
UNCLEAR = [
    "public = true",
    "editor = @request.auth.id",
    "@request.auth.role != 'guest'",
    "@request.auth.id != ' '",
    "@request.auth.id = ''",
    "@request.auth.id != '' || @request.method = 'GET'",
    "@request.headers.x_secret = 'abc'",
    "@request.auth.id != '' || public = true",
]


@pytest.mark.parametrize("rule", KEEP_OUT)
def test_a_rule_that_only_an_account_satisfies_keeps_guests_out(rule: str) -> None:
    assert guests_by(rule, {"owner"}, private=False) == Guests.KEPT_OUT


@pytest.mark.parametrize("rule", LET_IN)
def test_a_rule_that_says_nothing_about_who_asks_lets_guests_in(rule: str) -> None:
    assert guests_by(rule, {"owner"}, private=False) == Guests.LET_IN


@pytest.mark.parametrize("rule", UNCLEAR)
def test_a_rule_that_may_open_some_records_to_guests_is_called_unclear(rule: str) -> None:
    assert guests_by(rule, {"owner"}, private=False) == Guests.UNCLEAR


def test_in_tinykits_own_collections_conditions_on_records_alone_let_guests_in() -> None:
    assert guests_by("domain != ''", set(), private=True) == Guests.LET_IN
    assert guests_by("@request.auth.id != '' || name = 'x'", set(), private=True) == Guests.LET_IN


@pytest.mark.parametrize("name", ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"])
def test_a_rule_that_is_as_good_as_empty_is_found(name: str) -> None:
    server = FakePocketBase()
    server.collections["_tk_projects"][name] = "@request.auth.id != '' || id != ''"
    check = f"database.no-public-{'read' if name in ('listRule', 'viewRule') else 'write'}"
    seen = verdict(check, known_to(server))
    assert seen.outcome == Outcome.FAIL
    assert f"_tk_projects.{name} asks for no account" in seen.evidence[0]


def test_a_rule_of_somebodys_own_app_that_cannot_be_judged_is_named_and_no_failure() -> None:
    server = FakePocketBase()
    server.collections["posts"] = {"listRule": "public = true", "viewRule": None, "fields": []}
    seen = verdict("database.no-public-read", known_to(server))
    assert seen.outcome == Outcome.UNKNOWN
    assert "posts.listRule" in seen.evidence[0]
    assert "public = true" in seen.evidence[0]


def test_an_owner_that_no_record_lacks_keeps_guests_out() -> None:
    server = FakePocketBase()
    owner = {"name": "owner", "required": True}
    server.collections["notes"] = {"listRule": "owner = @request.auth.id", "fields": [owner]}
    assert verdict("database.no-public-read", known_to(server)).outcome == Outcome.PASS
    owner["required"] = False
    assert verdict("database.no-public-read", known_to(server)).outcome == Outcome.UNKNOWN


def test_pocketbases_own_collections_with_their_own_rules_pass() -> None:
    server = FakePocketBase()
    for name in ("_mfas", "_otps", "_externalAuths", "_authOrigins"):
        server.collections[name] = {"listRule": BUILT_IN, "viewRule": BUILT_IN, "fields": []}
    server.collections["_authOrigins"]["deleteRule"] = BUILT_IN
    for check in ("database.no-public-read", "database.no-public-write"):
        assert verdict(check, known_to(server)).outcome == Outcome.PASS
