"""What `tinykit-ops check` finds on a fresh instance, and that looking leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from raw_instance import FRESH
from waiting import PATIENCE, until

from tinykit_ops.cli import run
from tinykit_ops.errors import Exit
from tinykit_ops.lab.contract_instance import Instance
from tinykit_ops.pocketbase.client import PocketBase

SUPERUSER = ("root@example.com", "canary-superuser-password")
WEB = ["--only=outside", "--only=outsider", "--skip=network", "--timeout=60"]
SIGN_UP = "authentication.sign-up-closed"
Capture = pytest.CaptureFixture[str]


def check(instance: Instance, capsys: Capture) -> dict[str, Any]:
    """Run the command on an instance. Returns check id → result."""
    code = run(["check", instance.url, "--format=json", *WEB])
    data = json.loads(capsys.readouterr().out)
    assert code == data["exit_code"] == Exit.FINDINGS
    return {each["id"]: each for each in data["instances"][0]["results"]}


def failing(results: dict[str, Any]) -> set[str]:
    return {each for each, result in results.items() if result["outcome"] == "fail"}


def superuser_of(instance: Instance) -> PocketBase:
    client = PocketBase(f"{instance.url}/_pb")
    client.login_superuser(*SUPERUSER)
    return client


def everything(root: PocketBase) -> Any:
    """All rules and rows, except where PocketBase notes who logged in."""
    collections = root.collections()
    names = [each["name"] for each in collections if not each["name"].startswith("_auth")]
    return collections, {name: list(root.records(name)) for name in names}


def first_visit(instance: Instance) -> None:
    """tinykit logs in and notes the host name when anybody comes for the first time."""
    requests.get(instance.url, timeout=PATIENCE)
    requests.get(f"{instance.url}/api/projects/x/export", timeout=PATIENCE)
    until(lambda: b"auth_token" in instance.marker.read_bytes(), "tinykit's login")


def test_every_hole_of_an_unclaimed_instance_is_found(
    start_raw: Callable[..., Instance], capsys: Capture
) -> None:
    results = check(start_raw(), capsys)
    assert failing(results) == FRESH
    assert results[SIGN_UP]["outcome"] == "pass"
    evidence = "\n".join(results["builder.gated"]["evidence"])
    for path in ("/tinykit", "/preview/", "/export", "/validate-llm", "/_pb/api/collections/users"):
        assert path in evidence


def test_a_claimed_instance_is_still_open_behind_nothing(
    start_raw: Callable[..., Instance], capsys: Capture
) -> None:
    assert failing(check(start_raw(superuser=SUPERUSER), capsys)) == FRESH


@pytest.mark.parametrize("version", ["0.40.6", "0.23.4"])
@pytest.mark.parametrize("rule", ["", '@request.auth.id != ""'])
def test_a_rule_that_lets_somebody_sign_up_is_found_on_real_pocketbase(
    start_raw: Callable[..., Instance], capsys: Capture, version: str, rule: str
) -> None:
    instance = start_raw(version, superuser=SUPERUSER)
    root = superuser_of(instance)
    root.update_collection("users", {"createRule": None})
    assert check(instance, capsys)[SIGN_UP]["outcome"] == "pass"
    root.update_collection("users", {"createRule": rule})
    before = everything(root)
    assert check(instance, capsys)[SIGN_UP]["outcome"] == "fail"
    assert everything(root) == before


def test_looking_changes_no_byte_and_shows_no_secret(
    start_raw: Callable[..., Instance], capsys: Capture
) -> None:
    instance = start_raw(superuser=SUPERUSER)
    root = superuser_of(instance)
    first_visit(instance)
    marker = instance.marker.read_bytes()
    before = everything(root)
    results = check(instance, capsys)
    assert everything(root) == before
    assert instance.marker.read_bytes() == marker
    assert SUPERUSER[1] not in json.dumps(results)
