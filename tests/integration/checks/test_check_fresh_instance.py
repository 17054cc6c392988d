"""What an account and the superuser find on a fresh instance, with a real PocketBase of both ends
of what is supported; docs/fresh-tinykit.md lists it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raw_instance import KEY, NEWER, PERSON, ROOT_USER, SOUND, WITH_LOGINS

from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.checks.manners import MAX_REQUESTS
from tinykit_ops.cli import run
from tinykit_ops.lab.contract_instance import Instance
from tinykit_ops.pocketbase.client import PocketBase

ROOT = Path(__file__).parents[3]
NOT_THERE = ("--skip=host", "--skip=network")
ANY = "@request.auth.id != ''"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(params=["0.40.6", "0.23.4"])
def claimed(
    start_raw: Callable[..., Instance], request: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Instance, PocketBase]:
    """An instance with an account and a key, as its setup page makes them."""
    instance = start_raw(request.param, superuser=ROOT_USER)
    root = PocketBase(f"{instance.url}/_pb")
    root.login_superuser(*ROOT_USER)
    password = {"password": PERSON[1], "passwordConfirm": PERSON[1]}
    root.create_record("users", {"email": PERSON[0], **password})
    root.create_record("_tk_settings", {"id": "llm", "value": {"api_key": KEY}})
    for prefix, (email, secret) in {ACCOUNT: PERSON, SUPERUSER: ROOT_USER}.items():
        monkeypatch.setenv(f"{prefix}_EMAIL", email)
        monkeypatch.setenv(f"{prefix}_PASSWORD", secret)
    return request.param, instance, root


def look(instance: Instance, capsys: Capture) -> tuple[dict[str, str], dict[str, Any]]:
    """Check id → outcome, and the whole report."""
    run(["check", instance.url, "--format=json", "--timeout=60", *NOT_THERE])
    report = json.loads(capsys.readouterr().out)["instances"][0]
    return {each["id"]: each["outcome"] for each in report["results"]}, report


def outcomes(seen: dict[str, str], outcome: str) -> set[str]:
    return {check for check, found in seen.items() if found == outcome}


def test_every_hole_that_a_login_shows_is_found_and_what_is_sound_passes(
    claimed: tuple[str, Instance, PocketBase], capsys: Capture
) -> None:
    version, instance, _ = claimed
    seen, report = look(instance, capsys)
    mine = WITH_LOGINS | SOUND | NEWER["0.40.6"]
    assert outcomes(seen, "fail") & mine == WITH_LOGINS | NEWER[version]
    assert outcomes(seen, "pass") >= SOUND
    assert report["requests"] <= MAX_REQUESTS
    for secret in (PERSON[1], ROOT_USER[1], KEY):
        assert secret not in json.dumps(report)


def test_looking_with_logins_changes_no_rule_and_no_row(
    claimed: tuple[str, Instance, PocketBase], capsys: Capture
) -> None:
    _, instance, root = claimed

    def everything() -> Any:
        collections = root.collections()
        mine = [each["name"] for each in collections if each["name"].startswith("_tk_")]
        rows = {name: list(root.records(name)) for name in (*mine, "users", "_superusers")}
        return collections, rows, root.get_settings()

    look(instance, capsys)  # tinykit notes the host name of its first visitor
    before = everything()
    look(instance, capsys)
    assert everything() == before


@pytest.mark.parametrize(
    ("check", "collection", "changes"),
    [
        ("database.no-public-write", "_tk_projects", {"updateRule": ""}),
        ("database.no-public-read", "_tk_kits", {"listRule": ""}),
        ("authentication.accounts-locked", "users", {"createRule": ANY}),
        ("authentication.token-lifetime", "users", {"authToken": {"duration": 2592000}}),
        ("authentication.login-works", "users", {"passwordAuth": {"enabled": False}}),
        ("authentication.only-passwords", "users", {"otp": {"enabled": True}}),
    ],
)
def test_a_rule_or_option_that_is_changed_on_real_pocketbase_is_found(
    claimed: tuple[str, Instance, PocketBase],
    capsys: Capture,
    check: str,
    collection: str,
    changes: dict[str, Any],
) -> None:
    _, instance, root = claimed
    old = next(each for each in root.collections() if each["name"] == collection)
    merged = {
        name: {**old[name], **value} if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    root.update_collection(collection, merged)
    assert look(instance, capsys)[0][check] == "fail"


def test_the_page_about_a_fresh_tinykit_names_everything_that_is_found(
    claimed: tuple[str, Instance, PocketBase], capsys: Capture
) -> None:
    _, instance, _ = claimed
    page = (ROOT / "docs" / "fresh-tinykit.md").read_text()
    missing = [check for check in outcomes(look(instance, capsys)[0], "fail") if check not in page]
    assert missing == []
