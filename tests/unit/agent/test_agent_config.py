from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.errors import AccessError, UsageError

SETTINGS = {
    "domains": ["apps.example.com"],
    "admin_email": "admin@example.com",
    "app": {"archive": "/srv/app.tar.zst", "sha256": "0" * 64},
    "access": {"allowlist": ["127.0.0.0/8"]},
}


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    return tmp_path


def load(etc: Path) -> AgentConfig:
    return load_agent_config(etc / "config.json")


def secret(etc: Path, name: str, text: str, mode: int = 0o600) -> None:
    (etc / "secrets" / name).write_text(text)
    (etc / "secrets" / name).chmod(mode)


def test_settings_and_secrets_come_from_the_same_folder(etc: Path) -> None:
    secret(etc, "hook-token", "abc\n")
    config = load(etc)
    assert config.settings.domains == ["apps.example.com"]
    assert config.secret("hook-token") == "abc"


def test_what_settings_dump_as_json_loads_again(etc: Path) -> None:
    config = load(etc)
    (etc / "config.json").write_text(config.settings.model_dump_json())
    assert load(etc).settings == config.settings


def test_no_configuration_says_that_this_is_no_provisioned_host(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tinykit-ops configuration"):
        load_agent_config(tmp_path / "config.json")


def test_a_wrong_value_is_named_by_key_and_not_shown(etc: Path) -> None:
    (etc / "config.json").write_text(json.dumps({**SETTINGS, "domains": "canary-value here"}))
    with pytest.raises(UsageError, match="domains") as caught:
        load(etc)
    assert str(etc / "config.json") in str(caught.value)


def test_a_file_that_is_no_json_is_refused(etc: Path) -> None:
    (etc / "config.json").write_text("{")
    with pytest.raises(UsageError):
        load(etc)


def test_a_missing_secret_is_named(etc: Path) -> None:
    with pytest.raises(UsageError, match="'hook-token' is missing"):
        load(etc).secret("hook-token")


def test_an_empty_secret_is_refused(etc: Path) -> None:
    secret(etc, "hook-token", "\n")
    with pytest.raises(UsageError, match="empty"):
        load(etc).secret("hook-token")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused_and_not_shown(etc: Path, mode: int) -> None:
    secret(etc, "hook-token", "canary-secret", mode)
    with pytest.raises(AccessError, match="others") as caught:
        load(etc).secret("hook-token")
    assert "canary" not in str(caught.value)
