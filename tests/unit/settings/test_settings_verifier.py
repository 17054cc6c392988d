"""Verifiers: what an inventory may say of them, and what they get of the instances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.settings import Settings, SettingsError, load_settings, validate_inventory
from tinykit_ops.settings.load import load_section
from tinykit_ops.settings.secrets import resolve_all
from tinykit_ops.settings.verifier import VerifierSettings, folder_name, misfits, settings_of

IDENTITY = pyrage.x25519.Identity.generate()
BUCKET = {
    "kind": "s3",
    "name": "offsite",
    "bucket": "acme-backups",
    "prefix": "apps-1",
    "endpoint": "https://s3.example.com",
    "access_key_id": {"env": "INSTANCE_KEY"},
    "secret_access_key": {"env": "INSTANCE_SECRET"},
    "encryption": [str(IDENTITY.to_public())],
}
FOLDER = {"kind": "directory", "name": "disk", "path": "/mnt/there"}
SNAPSHOTS = {"kind": "btrfs", "name": "here", "path": "/var/lib/snapshots"}
OF_BUCKET = {
    "kind": "s3",
    "instance": "apps-1",
    "target": "offsite",
    "access_key_id": {"env": "VERIFIER_KEY"},
    "secret_access_key": {"env": "VERIFIER_SECRET"},
}
OF_FOLDER = {"kind": "directory", "instance": "apps-1", "target": "disk", "path": "/mnt/here"}


def instance(**more: Any) -> Settings:
    return load_settings(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "admin_password": {"env": "ADMIN_PASSWORD"},
            "app": {"archive": "app.tar.zst"},
            "llm": {"provider": "openai", "api_key": {"env": "LLM_KEY"}},
            "backup": {
                "targets": [BUCKET, FOLDER, SNAPSHOTS],
                "retention": {"keep_last": 9},
                "notify": {"ping_url": {"env": "INSTANCE_PING"}},
            },
            **more,
        },
        where="apps-1",
    )


def verifier(*targets: dict[str, Any], **more: Any) -> VerifierSettings:
    data = {"identity": {"file": "backup.key"}, "targets": list(targets), **more}
    return load_section(VerifierSettings, data, where="verify-1")


def reasons(found: VerifierSettings) -> list[str]:
    return [f"{one.key}: {one.reason}" for one in misfits(found, {"apps-1": instance()})]


def test_a_verifier_gets_the_targets_and_retention_of_the_instance_and_credentials_of_its_own():
    got = settings_of(verifier(OF_BUCKET, OF_FOLDER), "apps-1", instance())
    bucket, folder = got.backup.targets
    assert bucket.kind == "s3" and bucket.bucket == "acme-backups" and bucket.prefix == "apps-1/"
    assert bucket.access_key_id.env == "VERIFIER_KEY"
    assert folder.kind == "directory" and folder.path == "/mnt/here"
    assert got.backup.retention.keep_last == 9
    assert got.backup.verify is not None and got.backup.verify.identity is not None


def test_nothing_secret_of_the_instance_reaches_the_verifier() -> None:
    got = settings_of(verifier(OF_BUCKET), "apps-1", instance())
    text = agent_config(got, "/etc/tinykit-ops/instances/apps-1/secrets")
    for name in ("ADMIN_PASSWORD", "LLM_KEY", "INSTANCE_", "admin_password", "backup.key"):
        assert name not in text
    told = json.loads(text)["backup"]
    assert told["verify"]["identity"] == {
        "file": "/etc/tinykit-ops/instances/apps-1/secrets/backup-verify-identity"
    }
    again = Settings.model_validate_json(text)  # what the agent reads on the verifier
    assert [target.name for target in again.backup.targets] == ["offsite"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"instance": "apps-2"}, "targets[0].instance: is no instance of this inventory"),
        ({"target": "ofsite"}, "targets[0].target: apps-1 has no such target"),
        ({"target": "here"}, "targets[0].target: is of the kind btrfs, which only its own host"),
        ({"target": "disk"}, "targets[0].kind: is of the kind directory there"),
    ],
)
def test_what_does_not_fit_the_inventory_is_told(change: dict[str, Any], reason: str) -> None:
    (found,) = reasons(verifier({**OF_BUCKET, **change}))
    assert found.startswith(reason)


def test_a_sealed_target_needs_the_private_key() -> None:
    assert "identity: is missing, and apps-1/offsite is sealed" in reasons(
        verifier(OF_BUCKET, identity=None)
    )
    assert reasons(verifier(OF_FOLDER, identity=None)) == []


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"targets": []}, "targets"),
        ({"targets": [OF_FOLDER, OF_FOLDER]}, "targets[1]"),
        ({"targets": [{**OF_FOLDER, "prune": "yes"}]}, "targets[0].prune"),
        ({"targets": [{**OF_BUCKET, "secret_access_key": 5}]}, "targets[0].secret_access_key"),
        ({"targets": [OF_FOLDER], "shedule": "x"}, "shedule"),
        ({"targets": [OF_FOLDER], "schedule": "* * * * *"}, "schedule"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(data: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_section(VerifierSettings, data, where="verify-1")
    assert [problem.key for problem in caught.value.problems] == [key]


def test_the_file_of_age_keygen_is_read_with_its_comments_and_several_keys(tmp_path: Path) -> None:
    other = pyrage.x25519.Identity.generate()
    path = tmp_path / "backup.key"
    path.touch(mode=0o600)
    path.write_text(f"# created: 2026\n# public key: age1…\n{IDENTITY}\n\n{other}\n")
    found = verifier(OF_FOLDER, identity={"file": str(path)})
    assert resolve_all(found)["identity"].get_secret_value() == f"{IDENTITY} {other}"


@pytest.mark.parametrize("text", ["hunter2-hunter2", "AGE-SECRET-KEY-1abc", "a\nb"])
def test_what_is_no_private_key_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "backup.key"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        resolve_all(verifier(OF_FOLDER, identity={"file": str(path)}))
    assert text not in str(caught.value)


def test_an_instance_is_a_word_for_paths() -> None:
    assert folder_name("apps-1.example.com") == "apps-1.example.com"
    assert folder_name("../../etc") == "etc" or "/" not in folder_name("../../etc")
    assert folder_name("@docker/x") == "docker-x"
    twice = verifier({**OF_FOLDER, "instance": "a b"}, {**OF_FOLDER, "instance": "a/b"})
    found = [one.reason for one in misfits(twice, {"a b": instance(), "a/b": instance()})]
    assert any("look alike" in one for one in found)


# Inventories -------------------------------------------------------------------------------------

INVENTORY = """\
from tinykit_ops.settings import check_inventory
hosts = [("apps-1", {{"tinykit": {instance!r}}})]
verifiers = [("verify-1", {{"tinykit_verifier": {verifier!r}{more}}})]
"""


def inventory(folder: Path, *targets: dict[str, Any], more: str = "") -> Path:
    archive = folder / "app.tar.zst"
    archive.write_bytes(b"\x28\xb5\x2f\xfd")
    said = {
        "domains": ["apps.example.com"],
        "admin_email": "you@example.com",
        "app": {"archive": str(archive)},
        "access": {"allowlist": ["203.0.113.7"]},
        "backup": {"targets": [BUCKET, FOLDER]},
    }
    path = folder / "inventory.py"
    verifying = {"identity": {"file": "k"}, "targets": list(targets)}
    path.write_text(INVENTORY.format(instance=said, verifier=verifying, more=more))
    return path


def test_an_inventory_may_hold_instances_and_verifiers(tmp_path: Path) -> None:
    hosts = validate_inventory(inventory(tmp_path, OF_BUCKET, OF_FOLDER))
    assert [host.host for host in hosts] == ["apps-1"]


def test_a_verifiers_faults_stop_a_run_before_any_host_is_touched(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        validate_inventory(inventory(tmp_path, {**OF_BUCKET, "target": "nowhere"}))
    (problem,) = caught.value.problems
    assert (problem.where, problem.key) == ("verify-1", "tinykit_verifier.targets[0].target")


def test_its_missing_secrets_are_told_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        validate_inventory(inventory(tmp_path, OF_BUCKET), secrets=True)
    keys = {problem.key for problem in caught.value.problems if problem.where == "verify-1"}
    assert "tinykit_verifier.identity" in keys
    assert any(key.endswith("secret_access_key") for key in keys)


def test_a_host_is_an_instance_or_a_verifier_not_both(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="instance or a verifier"):
        validate_inventory(inventory(tmp_path, OF_FOLDER, more=', "tinykit": {}'))
