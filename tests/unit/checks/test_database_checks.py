"""What the superuser sees, right and wrong, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from checks_imitations import verdict
from checks_pocketbase import ANY, PASSWORD, FakePocketBase, known_to

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import Outcome, Vantage
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.session import Session

CHECKS = [check.id for check in all_checks() if check.looks_from == Vantage.SUPERUSER]
#: Needs to look through the edge, which is not here.
THROUGH_THE_EDGE = {"proxy.forwarded-for"}
LOCAL = sorted(set(CHECKS) - THROUGH_THE_EDGE)
Break = Callable[[FakePocketBase], Any]


def field(server: FakePocketBase, collection: str, name: str) -> dict[str, Any]:
    return next(each for each in server.collections[collection]["fields"] if each["name"] == name)


def rule(collection: str, name: str, value: str | None) -> Break:
    return lambda server: server.collections[collection].update({name: value})


def setting(section: str, **values: object) -> Break:
    return lambda server: server.settings[section].update(values)


LIMIT: dict[str, Any] = {"duration": 60, "maxRequests": 20}
BROKEN: dict[str, tuple[str, Break]] = {
    "public update": ("database.no-public-write", rule("_tk_projects", "updateRule", "")),
    "public delete": ("database.no-public-write", rule("users", "deleteRule", "")),
    "public list": ("database.no-public-read", rule("_tk_projects", "listRule", "")),
    "public view": ("database.no-public-read", rule("users", "viewRule", "")),
    "settings for accounts": ("database.settings-locked", rule("_tk_settings", "viewRule", ANY)),
    "settings written": ("database.settings-locked", rule("_tk_settings", "updateRule", ANY)),
    "accounts listed": (
        "database.users-unlisted",
        rule("users", "listRule", "id = @request.auth.id"),
    ),
    "accounts for everybody": (
        "authentication.accounts-locked",
        rule("users", "createRule", ""),
    ),
    "accounts by accounts": (
        "authentication.accounts-locked",
        rule("users", "createRule", ANY),
    ),
    "accounts public": ("database.users-unlisted", rule("users", "listRule", "")),
    "another superuser": (
        "database.superusers-known",
        lambda server: server.superusers.append("evil@example.net"),
    ),
    "install link's": (
        "database.superusers-known",
        lambda server: server.superusers.append("__pbinstaller@example.com"),
    ),
    "long superuser logins": (
        "database.superuser-logins-end",
        lambda server: server.collections["_superusers"]["authToken"].update(duration=864000),
    ),
    "batches": ("database.batch-off", setting("batch", enabled=True)),
    "leftmost": ("database.trusted-proxy", setting("trustedProxy", useLeftmostIP=True)),
    "no header": ("database.trusted-proxy", setting("trustedProxy", headers=[])),
    "two headers": (
        "database.trusted-proxy",
        setting("trustedProxy", headers=["CF-Connecting-IP", "X-Forwarded-For"]),
    ),
    "superusers from anywhere": (
        "database.superuser-addresses",
        lambda server: server.settings.update(superuserIPs=[]),
    ),
    "superusers from elsewhere": (
        "database.superuser-addresses",
        lambda server: server.settings["superuserIPs"].append("198.51.100.0/24"),
    ),
    "loopback counted": (
        "database.limits-spare-tinykit",
        setting("rateLimits", excludedIPs=["::1"]),
    ),
    "plain address": ("database.address-known", setting("meta", appURL="http://apps.example.com")),
    "other address": ("database.address-known", setting("meta", appURL="https://x.example.com")),
    "own backups": ("backups.not-mixed", setting("backups", cron="0 0 * * *")),
    "limits off": ("authentication.login-limited", setting("rateLimits", enabled=False)),
    "no login rule": ("authentication.login-limited", setting("rateLimits", rules=[])),
    "mild login rule": (
        "authentication.login-limited",
        setting("rateLimits", rules=[{"label": "*:auth", "duration": 1, "maxRequests": 50}]),
    ),
    "logins of those who are logged in": (
        "authentication.login-limited",
        setting("rateLimits", rules=[{**LIMIT, "label": "*:auth", "audience": "@auth"}]),
    ),
    "superusers' logins not counted": (
        "authentication.login-limited",
        setting("rateLimits", rules=[{**LIMIT, "label": "users:auth"}]),
    ),
    "accounts' logins not counted": (
        "authentication.login-limited",
        setting("rateLimits", rules=[{**LIMIT, "label": "_superusers:authWithPassword"}]),
    ),
    "everybody left out of limits": (
        "authentication.login-limited",
        setting("rateLimits", excludedIPs=["127.0.0.1", "::1", "0.0.0.0/0"]),
    ),
    "everybody left out in halves": (
        "authentication.login-limited",
        setting("rateLimits", excludedIPs=["127.0.0.1", "::1", "::/1", "8000::/1"]),
    ),
    "superusers from 0.0.0.0/0": (
        "database.superuser-addresses",
        lambda server: server.settings.update(superuserIPs=["0.0.0.0/0", "::/0"]),
    ),
    "short passwords": (
        "authentication.password-length",
        lambda server: field(server, "users", "password").update(min=4),
    ),
    "short superuser passwords": (
        "authentication.password-length",
        lambda server: field(server, "_superusers", "password").update(min=1),
    ),
    "fixed token key": (
        "authentication.password-ends-logins",
        lambda server: field(server, "users", "tokenKey").update(autogeneratePattern=""),
    ),
    "token key shown": (
        "authentication.password-ends-logins",
        lambda server: field(server, "users", "tokenKey").update(hidden=False),
    ),
    "oauth2": (
        "authentication.only-passwords",
        lambda server: server.collections["users"]["oauth2"].update(enabled=True),
    ),
    "one-time passwords": (
        "authentication.only-passwords",
        lambda server: server.collections["users"]["otp"].update(enabled=True),
    ),
    "key in the database": (
        "secrets.key-not-in-database",
        lambda server: server.records.update(
            {"/api/collections/_tk_settings/records/llm": {"value": {"api_key": "sk-canary"}}}
        ),
    ),
}


def outcomes(look: Context) -> dict[str, Outcome]:
    return {check: verdict(check, look).outcome for check in LOCAL}


@pytest.mark.parametrize("check", LOCAL)
def test_a_server_as_the_deploy_leaves_it_passes(check: str) -> None:
    seen = verdict(check, known_to(FakePocketBase()))
    assert seen.outcome == Outcome.PASS, seen


@pytest.mark.parametrize("name", BROKEN)
def test_one_thing_broken_in_the_server_is_exactly_one_finding(name: str) -> None:
    check, make = BROKEN[name]
    server = FakePocketBase()
    make(server)
    seen = outcomes(known_to(server))
    assert {each for each, outcome in seen.items() if outcome != Outcome.PASS} == {check}
    assert seen[check] == Outcome.FAIL
    assert "sk-canary" not in str(verdict(check, known_to(server)))


@pytest.mark.parametrize("check", CHECKS)
def test_a_superuser_who_cannot_log_in_sees_nothing(check: str) -> None:
    seen = verdict(check, known_to(FakePocketBase(), password="wrong"))
    assert seen.outcome == Outcome.UNKNOWN
    assert "wrong" not in str(seen)


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_superuser_every_check_says_what_it_needs(check: str) -> None:
    seen = verdict(check, Context())
    assert seen.outcome == Outcome.UNKNOWN
    assert "needs the superuser" in seen.evidence[0]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("answer", [(429, {}), (500, {}), (200, {}), (200, {"items": "x"})])
def test_answers_that_say_nothing_are_unknown(check: str, answer: tuple[int, Any]) -> None:
    paths = [
        "/api/settings",
        "/api/collections?perPage=500",
        "/api/collections/_superusers/records?perPage=200&fields=email",
        "/api/collections/_tk_settings/records/llm",
        "/api/health",
    ]
    server = FakePocketBase(answers={f"GET {path}": answer for path in paths})
    assert verdict(check, known_to(server)).outcome in {Outcome.UNKNOWN, Outcome.FAIL}


def test_a_version_without_addresses_for_superusers_has_only_the_gate() -> None:
    server = FakePocketBase()
    del server.settings["superuserIPs"], server.settings["rateLimits"]["excludedIPs"]
    assert set(outcomes(known_to(server)).values()) == {Outcome.PASS}
    server.settings["rateLimits"]["rules"].append(
        {"label": "/api/", "duration": 10, "maxRequests": 300}
    )
    assert verdict("database.limits-spare-tinykit", known_to(server)).outcome == Outcome.FAIL


def test_a_gate_by_account_needs_no_addresses_for_superusers() -> None:
    server = FakePocketBase()
    server.settings["superuserIPs"] = []
    look = known_to(server, access={"admin": {"require": ["account"]}})
    assert verdict("database.superuser-addresses", look).outcome == Outcome.PASS


def test_more_collections_than_one_page_are_not_passed_unseen() -> None:
    answer = (200, {"items": [{"name": "users"}], "totalItems": 501})
    server = FakePocketBase(answers={"GET /api/collections?perPage=500": answer})
    assert verdict("database.no-public-read", known_to(server)).outcome == Outcome.UNKNOWN


def test_all_checks_together_log_in_once_and_ask_little() -> None:
    server = FakePocketBase()
    outcomes(known_to(server))
    assert len([each for each in server.requests if "auth-with-password" in each]) == 1
    assert len(server.requests) <= 6


def test_a_session_never_shows_its_password() -> None:
    look = known_to(FakePocketBase())
    assert isinstance(look.superuser, Session)
    look.superuser.login()
    assert PASSWORD not in repr(look) + repr(look.superuser.login())
    assert look.superuser.login().token not in repr(look.superuser.login())


@pytest.mark.parametrize(
    "rules",
    [
        [{**LIMIT, "label": "*:auth", "audience": "@guest"}],
        [{**LIMIT, "label": "*:authWithPassword", "audience": ""}],
        [{**LIMIT, "label": "users:auth"}, {**LIMIT, "label": "_superusers:auth"}],
        [
            {"label": "*:auth", "audience": "@auth", "duration": 1, "maxRequests": 1000},
            {**LIMIT, "label": "*:auth", "audience": "@guest"},
        ],
    ],
)
def test_limits_that_count_every_guest_who_logs_in_pass(rules: list[dict[str, Any]]) -> None:
    server = FakePocketBase()
    server.settings["rateLimits"]["rules"] = rules
    assert verdict("authentication.login-limited", known_to(server)).outcome == Outcome.PASS


def test_superusers_from_anywhere_are_found_without_the_settings_too() -> None:
    server = FakePocketBase()
    server.settings["superuserIPs"] = ["127.0.0.1", "0.0.0.0/0"]
    look = known_to(server)
    look.settings = None
    assert verdict("database.superuser-addresses", look).outcome == Outcome.FAIL


@pytest.mark.parametrize(("name", "also"), [("viewRule", "read"), ("createRule", "write")])
def test_settings_that_are_open_to_everybody_are_not_called_locked(name: str, also: str) -> None:
    server = FakePocketBase()
    server.collections["_tk_settings"][name] = ""
    seen = outcomes(known_to(server))
    found = {check for check, outcome in seen.items() if outcome == Outcome.FAIL}
    assert found == {"database.settings-locked", f"database.no-public-{also}"}
