import shlex
import stat

import pytest

from tinykit_ops.host.secrets_step import GENERATED, SecretsStep


@pytest.fixture
def step(tmp_path, make_settings):
    def make(**changes):
        (tmp_path / "secrets").mkdir(exist_ok=True)
        return SecretsStep(make_settings(**changes), tmp_path / "secrets", tmp_path / "environment")

    return make


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_secrets_are_made_once_and_readable_by_their_owner_alone(step, tmp_path):
    step().apply()
    made = {name: (tmp_path / "secrets" / name).read_text() for name in GENERATED}
    assert len(set(made.values())) == len(GENERATED)
    assert all(len(value) >= 32 for value in made.values())
    assert all(mode(tmp_path / "secrets" / name) == 0o600 for name in GENERATED)
    step().apply()
    assert made == {name: (tmp_path / "secrets" / name).read_text() for name in GENERATED}


def test_a_secret_that_the_inventory_gave_is_kept(step, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "superuser-password").write_text("from the inventory")
    step().apply()
    assert (tmp_path / "secrets" / "superuser-password").read_text() == "from the inventory"
    assert '="from the inventory"' in (tmp_path / "environment").read_text()


def test_nothing_is_pending_after_a_run_and_all_is_before(step):
    assert len(step().pending()) == len(GENERATED) + 1
    step().apply()
    assert step().pending() == []


def test_a_changed_setting_makes_the_environment_pending(step):
    step().apply()
    llm = {"provider": "anthropic", "model": "some-model"}
    assert any("environment" in what for what in step(llm=llm).pending())
    step(llm=llm).apply()
    assert step(llm=llm).pending() == []


def test_the_environment_file_is_readable_by_root_alone(step, tmp_path):
    step().apply()
    assert mode(tmp_path / "environment") == 0o600


@pytest.mark.parametrize("value", ['quo"te', "dol$lar", "back\\slash", "sp ace", "tick`s", "a#b"])
def test_any_password_survives_the_environment_file(step, tmp_path, value):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "superuser-password").write_text(value)
    step().apply()
    lines = (tmp_path / "environment").read_text().splitlines()
    line = next(line for line in lines if line.startswith("POCKETBASE_ADMIN_PASSWORD="))
    # systemd's quoting of these characters is the shell's (systemd.exec, EnvironmentFile=)
    assert shlex.split(line.partition("=")[2].replace("\\$", "$").replace("\\`", "`")) == [value]


def test_a_secret_that_the_settings_do_not_name_any_more_is_removed(step, tmp_path):
    llm = {"provider": "openai", "api_key": {"file": "/etc/tinykit-ops/secrets/llm-api-key"}}
    (tmp_path / "secrets").mkdir()
    for name in ("llm-api-key", "backup-old-secret-access-key", ".hook-token.ab12.new"):
        (tmp_path / "secrets" / name).write_text("x")
    step(llm=llm).apply()
    left = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert left == {*GENERATED, "llm-api-key"}
    assert step().pending() != []
    step().apply()
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == set(GENERATED)
    assert "LLM_API_KEY" not in (tmp_path / "environment").read_text()
