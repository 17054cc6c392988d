"""Claiming a server, and what tinykit then leaves lying about."""

from __future__ import annotations

import stat
from collections.abc import Callable

import requests
from contract_kit import EMAIL, PASSWORD, App
from waiting import PATIENCE

LLM = {"LLM_PROVIDER": "openai", "LLM_API_KEY": "sk-" + "abcdefgh" * 6, "LLM_MODEL": "m"}


def test_whoever_comes_first_owns_the_server(start: Callable[..., App]) -> None:
    app = start()
    assert app.get("/").headers["location"] == "/setup"
    assert app.get("/api/setup").json() == {"needs_setup": True}
    assert app.post("/api/setup", {}).status_code == 400
    assert app.claim().json() == {"success": True}
    assert app.get("/api/setup").json() == {"needs_setup": False}
    assert app.claim().json() == {"error": "Setup already completed"}
    assert app.login("_superusers")


def test_setup_leaves_the_superusers_password_in_plain_text(start: Callable[..., App]) -> None:
    app = start()
    app.claim()
    assert app.marker()["admin_password"] == PASSWORD
    assert stat.S_IMODE(app.instance.marker.stat().st_mode) == 0o600


def test_an_llm_key_given_at_setup_can_be_read_by_every_account(start: Callable[..., App]) -> None:
    app = start()
    llm = {"provider": "openai", "api_key": "sk-secret-key", "model": "m"}
    app.post("/api/setup", {"email": EMAIL, "password": PASSWORD, "llm": llm})
    path = "/_pb/api/collections/_tk_settings/records/llm"
    read = app.get(path, headers={"Authorization": app.login()})
    assert read.json()["value"]["api_key"] == "sk-secret-key"
    assert app.get(path).status_code == 404


def test_a_server_claimed_by_its_environment_needs_no_secret_in_the_marker(
    start: Callable[..., App],
) -> None:
    app = start(superuser=(EMAIL, PASSWORD), environment=LLM)
    app.superuser_token = app.login("_superusers")
    account = {"email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD}
    path = "/_pb/api/collections/users/records"
    assert app.post(path, account, headers={"Authorization": app.superuser_token}).ok
    app.token = app.login()
    assert app.post("/api/projects", {"name": "x"}, token=app.token).json()["name"] == "x"
    assert set(app.marker()) == {"auth_token"}


def test_the_first_characters_of_the_llm_key_go_to_every_account(start: Callable[..., App]) -> None:
    app = start(environment=LLM)
    app.claim()
    told = app.get("/api/agent/test", token=app.login()).json()
    assert told["apiKeyPreview"] == LLM["LLM_API_KEY"][:20] + "..."


def test_anybody_may_try_superuser_passwords(app: App) -> None:
    path = "/api/auth/save-server-credentials"
    wrong = app.post(path, {"email": EMAIL, "password": "guess"})
    right = app.post(path, {"email": EMAIL, "password": PASSWORD})
    assert (wrong.json()["saved"], right.json()["saved"]) == (False, True)


def test_anybody_may_update_the_schema(app: App) -> None:
    assert app.post("/api/migrate-build-fields").json()["success"] is True


def test_anybody_may_make_the_server_ask_any_address_while_guests_may_list_users(
    app: App,
) -> None:
    body = {"provider": "openai", "api_key": "k", "base_url": "http://127.0.0.1:8091/api"}
    path = "/api/settings/validate-llm"
    assert app.post(path, body).json()["error"] == "API returned 404"
    closed = requests.patch(
        f"{app.instance.url}/_pb/api/collections/users",
        json={"listRule": None},
        headers={"Authorization": app.superuser_token},
        timeout=PATIENCE,
    )
    assert closed.ok
    assert app.post(path, body).status_code == 401


def test_settings_are_for_accounts_and_show_keys_masked(app: App) -> None:
    value = {"provider": "openai", "api_key": "sk-0123456789", "model": "m"}
    assert app.post("/api/settings", {"key": "llm", "value": value}).status_code == 401
    assert app.post("/api/settings", {"key": "llm", "value": value}, token=app.token).ok
    kept = {"key": "llm", "value": {"provider": "gemini"}}
    assert app.post("/api/settings", kept, token=app.token).ok
    told = app.get("/api/settings?key=llm", token=app.token).json()["value"]
    assert told["api_key"] == "•••••••••6789"
    assert told["provider"] == "gemini"


def test_a_refused_update_ends_the_process_after_its_answer(start: Callable[..., App]) -> None:
    app = start()
    app.publish()
    answer = app.ask("DELETE", "/api/projects/nosuchproject00/agent", token=app.token)
    assert answer.json() == {"error": "Project not found"}
    assert app.instance.app.wait(PATIENCE) == 1
