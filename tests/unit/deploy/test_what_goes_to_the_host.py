"""Settings and secrets on their way to a host: names, modes, and what stays behind."""

import json

import pytest

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.deploy.host_secrets import secret_files, secret_name

CANARY = "canary-password-4711"
TARGET = {
    "kind": "s3",
    "name": "lab",
    "bucket": "my-backups",
    "endpoint": "https://s3.example.com",
    "access_key_id": {"value": CANARY},
    "secret_access_key": {"command": f"echo {CANARY}"},
    "encryption": "none",
}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("llm.api_key", "llm-api-key"),
        ("admin_password", "admin-password"),
        ("superuser_password", "superuser-password"),
        ("backup.targets.lab.access_key_id", "backup-lab-access-key-id"),
    ],
)
def test_a_secrets_file_is_named_after_its_key(key, name):
    assert secret_name(key) == name
    assert secret_files({key: "x"}) == {f"/etc/tinykit-ops/secrets/{name}": "x"}


def test_the_agents_configuration_holds_no_secret_and_no_source_of_one(make_settings):
    settings = make_settings(
        admin_password=CANARY,
        llm={"provider": "openai", "api_key": {"env": "CANARY_NAME"}},
    )
    text = agent_config(settings)
    assert CANARY not in text
    assert "CANARY_NAME" not in text
    data = json.loads(text)
    assert data["admin_password"] == {"file": "/etc/tinykit-ops/secrets/admin-password"}
    assert data["llm"]["api_key"] == {"file": "/etc/tinykit-ops/secrets/llm-api-key"}


def test_the_secrets_of_a_backup_target_are_replaced_too(make_settings):
    text = agent_config(make_settings(backup={"targets": [TARGET]}))
    assert CANARY not in text
    (row,) = json.loads(text)["backup"]["targets"]
    assert row["access_key_id"]["file"].endswith("/backup-lab-access-key-id")


def test_the_agent_reads_back_what_the_deploy_wrote(make_settings, tmp_path):
    settings = make_settings(firewall={"ssh_from": ["203.0.113.7"]})
    (tmp_path / "config.json").write_text(agent_config(settings))
    assert load_agent_config(tmp_path / "config.json").settings == settings


def test_the_same_settings_give_the_same_text(make_settings):
    assert agent_config(make_settings()) == agent_config(make_settings())


def test_a_password_keeps_its_spaces_on_the_host(make_settings, tmp_path):
    (tmp_path / "config.json").write_text(agent_config(make_settings()))
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "admin-password").write_text(" spaces around \n")
    (secrets / "admin-password").chmod(0o600)
    config = load_agent_config(tmp_path / "config.json")
    assert config.secret("admin-password") == " spaces around "
