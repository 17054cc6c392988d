"""What a verifier has of its instances: no more than their settings say."""

import json

import pytest

from tinykit_ops import artifacts
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.errors import UsageError
from tinykit_ops.host.verifier_step import VerifierStep

BUCKET = {
    "kind": "s3",
    "name": "offsite",
    "bucket": "my-backups",
    "access_key_id": {"env": "ID"},
    "secret_access_key": {"env": "KEY"},
    "encryption": "none",
}
OF_BUCKET = {"backup-offsite-access-key-id", "backup-offsite-secret-access-key"}


@pytest.fixture
def step(tmp_path, make_settings, monkeypatch):
    """A verifier of one instance, with PocketBase there."""
    folder = tmp_path / "instances" / "apps-1"
    (folder / "secrets").mkdir(parents=True)
    settings = make_settings(backup={"targets": [BUCKET]})
    (folder / "config.json").write_text(agent_config(settings, str(folder / "secrets")))
    for name in OF_BUCKET:
        (folder / "secrets" / name).write_text("x")
    (tmp_path / "verifier.json").write_text(json.dumps({"instances": ["apps-1"]}))
    wanted = artifacts.find("pocketbase", settings.pocketbase.version, {})
    digest = wanted.sha256[artifacts.architecture()]
    monkeypatch.setattr(artifacts, "file_sha256", lambda _: digest)
    monkeypatch.setattr(artifacts, "install", lambda *_: None)
    return VerifierStep(tmp_path / "verifier.json", tmp_path / "instances", tmp_path / "programs")


def test_what_the_settings_name_stays(step):
    assert step.pending() == []
    step.apply()
    assert {path.name for path in step.instances.glob("apps-1/secrets/*")} == OF_BUCKET


def test_keys_of_a_target_that_was_given_up_go(step):
    old = step.instances / "apps-1/secrets/backup-former-access-key-id"
    old.write_text("x")
    assert step.pending() == [f"remove {old}"]
    step.apply()
    assert not old.exists()
    assert step.pending() == []


def test_an_instance_that_is_named_no_more_goes_with_all_it_has(step):
    other = step.instances / "apps-2"
    (other / "secrets").mkdir(parents=True)
    (step.instances / "stray").write_text("x")
    assert step.pending() == [f"remove {other}", f"remove {step.instances / 'stray'}"]
    step.apply()
    assert [path.name for path in step.instances.iterdir()] == ["apps-1"]


def test_a_host_that_is_no_verifier_is_told_so(tmp_path):
    with pytest.raises(UsageError, match="no verifier"):
        VerifierStep(tmp_path / "none", tmp_path, tmp_path).pending()
