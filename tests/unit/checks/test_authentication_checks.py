"""Logins and what they give, from good and bad servers; and whom the checks log in as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checks_imitations import verdict
from checks_pocketbase import FakePocketBase, known_to, token

from tinykit_ops.checks import jwt
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.credentials import ACCOUNT, Credentials, credentials
from tinykit_ops.checks.model import CannotLook, Outcome, Vantage
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.errors import UsageError

CHECKS = [check.id for check in all_checks() if check.looks_from == Vantage.ACCOUNT]
LOGIN = "POST /api/collections/users/auth-with-password"
REFRESH = "POST /api/collections/users/auth-refresh"
FORGED = "authentication.forged-tokens-refused"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinykit_ops.checks.areas.tokens.time.sleep", lambda _: None)


@pytest.mark.parametrize("check", CHECKS)
def test_a_good_server_passes(check: str) -> None:
    assert verdict(check, known_to(FakePocketBase())).outcome == Outcome.PASS


BROKEN: dict[str, tuple[str, Callable[[], FakePocketBase]]] = {
    "no passwords": (
        "authentication.login-works",
        lambda: FakePocketBase(answers={LOGIN: (403, {"data": {}, "status": 403})}),
    ),
    "unsigned": ("authentication.token-form", lambda: FakePocketBase(token=token("none"))),
    "a file's token": (
        "authentication.token-form",
        lambda: FakePocketBase(token=token(type="file")),
    ),
    "tells the address": (
        "authentication.token-form",
        lambda: FakePocketBase(token=token(email="you@example.com")),
    ),
    "a month": ("authentication.token-lifetime", lambda: FakePocketBase(token=token(days=30))),
    "not renewed": (
        "authentication.refresh",
        lambda: FakePocketBase(answers={REFRESH: (404, {"data": {}})}),
    ),
    "renewed for less": ("authentication.refresh", lambda: FakePocketBase(renewed=token(days=1))),
    "alg none": (FORGED, lambda: FakePocketBase(believes=(_none("none"),))),
    "alg NONE": (FORGED, lambda: FakePocketBase(believes=(_none("NONE"),))),
    "any signature": (FORGED, lambda: FakePocketBase(believes=(".A2lnbmVk",))),
    "key shown": (
        "secrets.llm-key-unreadable",
        lambda: FakePocketBase(
            records={"/api/collections/_tk_settings/records/llm": {"value": {"api_key": "canary"}}}
        ),
    ),
}

LIST = "GET /api/collections/_tk_settings/records?perPage=200"
OTHER = {"id": "theme", "value": "dark"}
WITH_KEY = {"id": "llm", "value": {"provider": "x", "api_key": "canary"}}


def _none(name: str) -> str:
    read = jwt.read(token())
    forged = dict(jwt.forgeries(read))
    return forged[f"alg={name} and no signature"].split(".")[0]


@pytest.mark.parametrize("name", BROKEN)
def test_one_thing_broken_is_found(name: str) -> None:
    check, make = BROKEN[name]
    seen = verdict(check, known_to(make()))
    assert seen.outcome == Outcome.FAIL, seen
    assert "canary" not in str(seen)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("status", [400, 429, 500, 302])
def test_without_a_login_nothing_passes_and_nothing_fails(check: str, status: int) -> None:
    said: dict[str, Any] = {"data": {}} if status == 400 else {}
    seen = verdict(check, known_to(FakePocketBase(answers={LOGIN: (status, said)})))
    assert seen.outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("check", CHECKS)
def test_without_an_account_every_check_says_what_it_needs(check: str) -> None:
    seen = verdict(check, Context())
    assert seen.outcome == Outcome.UNKNOWN
    assert ACCOUNT in seen.evidence[0]


def test_refusals_prove_nothing_when_the_good_token_is_refused_too() -> None:
    server = FakePocketBase(answers={"GET /api/collections/users/records/u1": (403, {"data": {}})})
    assert verdict(FORGED, known_to(server)).outcome == Outcome.UNKNOWN


def test_a_refresh_that_is_limited_is_unknown() -> None:
    server = FakePocketBase(answers={REFRESH: (429, {})})
    assert verdict("authentication.refresh", known_to(server)).outcome == Outcome.UNKNOWN


def test_forged_tokens_differ_from_the_good_one_and_never_hold_its_signature_with_alg_none() -> (
    None
):
    good = token()
    forged = list(jwt.forgeries(jwt.read(good)))
    assert len({made for _, made in forged} | {good}) == len(forged) + 1
    for fault, made in forged:
        if "no signature" in fault:
            assert made.endswith(".")


@pytest.mark.parametrize("bad", ["", "a.b", "a.b.c", "eyJ9.eyJ9.x", "W10.W10.x"])
def test_what_is_no_token_cannot_be_looked_at(bad: str) -> None:
    with pytest.raises(CannotLook):
        jwt.read(bad)


# Credentials.


def test_credentials_come_from_a_private_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "account"
    file.write_text("you@example.com\nwith a space \n")
    file.chmod(0o600)
    wanted = Credentials("you@example.com", "with a space ")
    assert credentials(ACCOUNT, file, {}) == wanted
    assert credentials(ACCOUNT, None, {f"{ACCOUNT}_FILE": str(file)}) == wanted
    pair = {f"{ACCOUNT}_EMAIL": "a@b.co", f"{ACCOUNT}_PASSWORD": "x"}
    assert credentials(ACCOUNT, None, pair) == Credentials("a@b.co", "x")
    assert credentials(ACCOUNT, None, {}) is None
    assert "with a space" not in repr(wanted)


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("a@b.co\ncanary\n", 0o644, "Others may read"),
        ("a@b.co\n", 0o600, "no credentials"),
        ("\ncanary\n", 0o600, "no credentials"),
    ],
)
def test_a_file_that_is_shared_or_half_is_refused(
    tmp_path: Path, text: str, mode: int, reason: str
) -> None:
    file = tmp_path / "account"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(UsageError, match=reason) as error:
        credentials(ACCOUNT, file, {})
    assert "canary" not in str(error.value)


def test_a_missing_file_and_half_a_pair_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        credentials(ACCOUNT, tmp_path / "none", {})
    with pytest.raises(UsageError, match="PASSWORD is missing"):
        credentials(ACCOUNT, None, {f"{ACCOUNT}_EMAIL": "a@b.co"})


def test_a_key_that_only_the_list_shows_is_found_and_not_told() -> None:
    listed = {"items": [OTHER, WITH_KEY], "totalItems": 2}
    record = "GET /api/collections/_tk_settings/records/llm"
    server = FakePocketBase(answers={LIST: (200, listed), record: (403, {"data": {}})})
    seen = verdict("secrets.llm-key-unreadable", known_to(server))
    assert seen.outcome == Outcome.FAIL
    assert "canary" not in str(seen)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((403, {"data": {}}), Outcome.PASS),
        ((200, {"items": [], "totalItems": 0}), Outcome.PASS),
        ((200, {"items": [OTHER], "totalItems": 1}), Outcome.PASS),
        ((200, {"items": [OTHER], "totalItems": 300}), Outcome.UNKNOWN),
        ((200, {"items": "x"}), Outcome.UNKNOWN),
        ((429, {}), Outcome.UNKNOWN),
        ((500, {}), Outcome.UNKNOWN),
    ],
)
def test_a_list_of_settings_is_passed_only_when_all_of_it_was_seen(
    answer: tuple[int, Any], outcome: Outcome
) -> None:
    server = FakePocketBase(answers={LIST: answer})
    assert verdict("secrets.llm-key-unreadable", known_to(server)).outcome == outcome
