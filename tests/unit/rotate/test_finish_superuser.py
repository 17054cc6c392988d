"""A rotation of which only the look for the old password is left, and what is asked for then."""

import subprocess

import pytest

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import Exit, UnavailableError
from tinykit_ops.host.rotation_step import RotationStep
from tinykit_ops.rotate import proof, run
from tinykit_ops.rotate.superuser import SuperuserRotation


@pytest.fixture
def config(make_settings, tmp_path, monkeypatch):
    """The new password holds, and the old one was not looked for."""
    (tmp_path / layout.SUPERUSER_PASSWORD).write_text("new")
    (tmp_path / layout.SUPERUSER_PASSWORD_BEFORE).write_text("old")

    def rotate(self, wanted=""):
        old = self.current.read_text()
        self.before.write_text(old)
        self.current.write_text(wanted or "made up")
        return old

    monkeypatch.setattr(SuperuserRotation, "run", rotate)
    return AgentConfig(make_settings(), tmp_path)


@pytest.fixture
def looked(monkeypatch):
    """What was looked for; nothing is found."""
    seen = []
    monkeypatch.setattr(run, "places_of", lambda value, **_: seen.append(value) or [])
    return seen


def cannot_look(*_, **__):
    raise UnavailableError("the old secret could not be looked for everywhere", where="/var")


def kept(config, name):
    path = config.secrets_dir / name
    return path.read_text() if path.exists() else ""


def test_the_look_alone_is_made_up_for(config, looked):
    assert run.finish_superuser(config, lambda _: None) == Exit.OK
    assert looked == ["old"]
    assert kept(config, layout.SUPERUSER_PASSWORD) == "new"
    assert not kept(config, layout.SUPERUSER_PASSWORD_BEFORE)


def test_a_new_password_comes_after_what_was_left_and_is_never_dropped(config, looked):
    assert run.finish_superuser(config, lambda _: None, "newer") == Exit.OK
    assert looked == ["old", "new"]
    assert kept(config, layout.SUPERUSER_PASSWORD) == "newer"


def test_a_new_password_comes_also_when_the_oldest_cannot_be_looked_for(config, monkeypatch):
    told = []

    def look(value, **_):
        return cannot_look() if value == "old" else []

    monkeypatch.setattr(run, "places_of", look)
    assert run.finish_superuser(config, told.append, "newer") == Exit.FINDINGS
    assert any("not proven" in line for line in told)
    assert kept(config, layout.SUPERUSER_PASSWORD) == "newer"


def test_a_deploy_goes_on_when_the_old_password_cannot_be_looked_for(config, monkeypatch):
    monkeypatch.setattr(run, "places_of", cannot_look)
    told = []
    step = RotationStep(config, told.append)
    assert step.pending()
    step.apply()
    assert "/var" in told[-1]
    assert step.pending(), "it is looked for again by the next one"


def test_a_deploy_fails_when_the_new_password_does_not_hold_yet(config, monkeypatch):
    (config.secrets_dir / layout.SUPERUSER_PASSWORD_NEXT).write_text("newer")
    monkeypatch.setattr(SuperuserRotation, "run", cannot_look)
    with pytest.raises(UnavailableError):
        RotationStep(config, lambda _: None).apply()


def test_a_look_that_takes_too_long_is_an_error_that_says_where(tmp_path, monkeypatch):
    def slow(words, **more):
        raise subprocess.TimeoutExpired(words, more["timeout"])

    monkeypatch.setattr(proof.subprocess, "run", slow)
    with pytest.raises(UnavailableError, match="looked for everywhere") as told:
        proof.places_of("old", folders=[str(tmp_path)], proc=tmp_path / "none")
    assert told.value.where == str(tmp_path)
