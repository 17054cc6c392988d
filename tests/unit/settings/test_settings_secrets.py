"""Secrets are read on the controller, all problems at once, and never shown."""

from __future__ import annotations

import json
import logging
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from settings_bad import apply, s3

from tinykit_ops.settings import Secret, Settings, SettingsError, load_settings
from tinykit_ops.settings import secret_sources as sources
from tinykit_ops.settings.problems import Advice
from tinykit_ops.settings.secrets import resolve, resolve_all, secrets_of

CANARY = "canary-4f1d-never-to-be-seen"


def refused(secret: Secret, **more: Any) -> str:
    """What is said of a secret that cannot be read."""
    with pytest.raises(SettingsError) as caught:
        resolve(secret, "admin_password", **more)
    assert caught.value.problems[0].key == "admin_password"
    return str(caught.value)


@pytest.fixture
def private(tmp_path: Path) -> Callable[[bytes], Path]:
    """Makes a file that only its owner can read."""

    def make(content: bytes) -> Path:
        path = tmp_path / "secret"
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    return make


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", CANARY)
    assert resolve(Secret(env="A_SECRET"), "x") == CANARY


def test_a_secret_comes_from_a_file_less_its_last_line_break(
    private: Callable[[bytes], Path],
) -> None:
    path = private(f" {CANARY} \n".encode())
    assert resolve(Secret(file=str(path)), "x") == f" {CANARY} "


def test_a_tilde_is_the_home_folder(
    private: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(private(CANARY.encode()).parent))
    assert resolve(Secret(file="~/secret"), "x") == CANARY


def test_a_secret_comes_from_a_command_with_a_pipe() -> None:
    assert resolve(Secret(command=f"printf '{CANARY}\\nuser: me\\n' | head -1"), "x") == CANARY


def test_a_missing_variable_is_named() -> None:
    assert "NOT_SET_ANYWHERE is not set" in refused(Secret(env="NOT_SET_ANYWHERE"))


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_secret_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", text)
    assert "is empty" in refused(Secret(env="A_SECRET"))


@pytest.mark.parametrize("content", [b"two\nlines\n", b"nul\0byte", b"two\rlines", b"x\n\n"])
def test_a_secret_of_several_lines_is_refused(
    content: bytes, private: Callable[[bytes], Path]
) -> None:
    assert "line break" in refused(Secret(file=str(private(content))))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere"
    assert f"{path} does not exist" in refused(Secret(file=str(path)))


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    assert "not a regular file" in refused(Secret(file=str(tmp_path)))


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(Secret(file=str(tmp_path / "pipe")))


def test_a_file_that_is_not_text_is_refused(private: Callable[[bytes], Path]) -> None:
    assert "not text in UTF-8" in refused(Secret(file=str(private(b"\xff\xfe\x00"))))


def test_a_large_file_is_refused(private: Callable[[bytes], Path]) -> None:
    assert "larger than 64 KiB" in refused(Secret(file=str(private(b"x" * 70_000))))


def test_a_file_that_cannot_be_read_is_told(
    private: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = private(b"x")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "cannot be read: Permission denied" in refused(Secret(file=str(path)))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read_works_with_a_warning(
    mode: int, private: Callable[[bytes], Path]
) -> None:
    path = private(CANARY.encode())
    path.chmod(mode)
    warnings: list[Advice] = []
    assert resolve(Secret(file=str(path)), "admin_password", warn=warnings.append) == CANARY
    assert [warning.key for warning in warnings] == ["admin_password"]
    assert "chmod 600" in str(warnings[0]) and CANARY not in str(warnings[0])


def test_a_failing_command_shows_its_code_and_last_complaint_but_never_its_output() -> None:
    told = refused(Secret(command=f"echo {CANARY}; echo first >&2; echo locked >&2; exit 3"))
    assert "exit code 3: locked" in told
    assert CANARY not in told and "first" not in told


def test_a_password_written_as_a_command_is_not_shown() -> None:
    told = refused(Secret(command=CANARY))
    assert "not installed" in told and CANARY not in told


def test_a_command_that_never_ends_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    command = f"(while sleep 0.05; do date +%N > {alive}; done) & sleep 300"
    for seconds in (0.5, 5, 60):  # on a busy machine it may not have begun when it is ended
        with pytest.raises(sources.SecretSourceError, match="did not end within"):
            sources.from_command(command, seconds=seconds)
        if alive.exists():
            break
    time.sleep(0.3)
    before = alive.read_text()
    time.sleep(0.3)
    assert alive.read_text() == before, "its child went on"


def test_a_command_runs_once_however_many_deploys_ask(tmp_path: Path) -> None:
    counter = tmp_path / "runs"
    secret = Secret(command=f"echo x >> {counter}; echo {CANARY}")
    assert [resolve(secret, "x") for _ in range(3)] == [CANARY] * 3
    assert counter.read_text() == "x\n"


def test_a_command_cannot_read_the_terminal() -> None:
    assert "is empty" in refused(Secret(command="cat"))


# All of them at once ---------------------------------------------------------------------------


@pytest.fixture
def settings(good: dict[str, Any]) -> Settings:
    """Settings with five secrets."""
    change = {
        **s3(),
        "admin_password": {"env": "ADMIN_PASSWORD"},
        "superuser_password": CANARY,
        "llm": {"provider": "openai", "api_key": {"command": "echo from-a-command"}},
    }
    return load_settings(apply(good, change), where="web1")


def test_every_secret_goes_by_its_key_and_targets_by_their_name(settings: Settings) -> None:
    assert [key for key, _ in secrets_of(settings)] == [
        "admin_password",
        "superuser_password",
        "llm.api_key",
        "backup.targets.offsite.access_key_id",
        "backup.targets.offsite.secret_access_key",
    ]


def test_all_secrets_are_read(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADMIN_PASSWORD", "KEY_ID", "KEY_SECRET"):
        monkeypatch.setenv(name, f"the value of {name}")
    values = resolve_all(settings)
    assert values["admin_password"].get_secret_value() == "the value of ADMIN_PASSWORD"
    assert values["superuser_password"].get_secret_value() == CANARY
    assert values["llm.api_key"].get_secret_value() == "from-a-command"
    assert len(values) == 5


def test_all_missing_secrets_are_told_at_once(settings: Settings) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_all(settings)
    assert {problem.key for problem in caught.value.problems} == {
        "admin_password",
        "backup.targets.offsite.access_key_id",
        "backup.targets.offsite.secret_access_key",
    }


def test_a_password_from_outside_is_held_to_the_same_length(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEY_ID", "KEY_SECRET"):
        monkeypatch.setenv(name, "short")
    monkeypatch.setenv("ADMIN_PASSWORD", "hunter2")
    with pytest.raises(SettingsError) as caught:
        resolve_all(settings)
    assert [problem.key for problem in caught.value.problems] == ["admin_password"]
    assert "fewer than 10" in str(caught.value) and "hunter2" not in str(caught.value)


def test_no_form_of_settings_or_secrets_shows_a_value(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("ADMIN_PASSWORD", "KEY_ID", "KEY_SECRET"):
        monkeypatch.setenv(name, CANARY)
    values = resolve_all(settings)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").info("%s %r %s", values, settings, settings.superuser_password)
    shown = [
        caplog.text,
        f"{values} {settings} {settings!r}",
        settings.model_dump_json(),
        str(settings.model_dump()),
        json.dumps(settings.model_dump(mode="json")),
    ]
    assert all(CANARY not in text for text in shown)


@pytest.mark.parametrize(
    "wrong",
    [
        {"admin_password": [CANARY]},
        {"admin_password": {"env": CANARY}},
        {"admin_password": {"env": [CANARY]}},
        {"admin_password": {"value": CANARY, "env": "A"}},
        {"admin_password": {"value": [CANARY]}},
        {"admin_password": {"vault": CANARY}},
        {"admin_password": {"password": {"x": CANARY}}},
        {"admin_passwort": CANARY},
        {"admin_password": f"{CANARY}\nx"},
        {"admin_password": CANARY * 5},
        {"llm": {"api_key": CANARY}},
        {"llm": {"provider": CANARY}},
        {"llm": {"provider": "custom", "base_url": f"https://me:{CANARY}@llm.example.com"}},
        {"app": {"archive": f"https://me:{CANARY}@x.example.com/a"}},
        {"app": {"git": f"https://{CANARY}@x.example.com/a"}},
        {"firewall": CANARY},
        {"firewall": {"ssh_port": CANARY}},
        s3(encryption=[f"AGE-SECRET-KEY-{CANARY}"]),
        s3(encryption=f"AGE-SECRET-KEY-{CANARY}"),
        s3(access_key_id=7, secret_access_key=[CANARY]),
        s3(secret=CANARY),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(
    good: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(apply(good, wrong), where="web1")
    error = caught.value
    assert CANARY not in f"{error} {error!r} {error.args} {error.problems}"
    with pytest.raises(ValueError) as from_model:
        Settings.model_validate(apply(good, wrong))
    assert CANARY not in str(from_model.value)


def test_the_error_has_no_hidden_cause_that_a_traceback_would_print(good: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(apply(good, {"admin_password": [CANARY]}), where="web1")
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_settings_survive_being_copied_to_another_process(settings: Settings) -> None:
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize("text", [f"ftp://{CANARY}.example", CANARY, f"https://x/{CANARY} y"])
def test_a_hook_that_is_no_web_address_is_refused_without_being_shown(
    text: str, good: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", text)
    settings = load_settings(
        apply(good, {"backup": {"notify": {"ping_url": {"env": "HOOK"}}}}), where="web1"
    )
    with pytest.raises(SettingsError) as caught:
        resolve_all(settings)
    assert "backup.notify.ping_url" in str(caught.value)
    assert "not a web address" in str(caught.value)
    assert CANARY not in str(caught.value)
