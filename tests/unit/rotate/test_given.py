"""Secrets of the inventory: remembered, and looked for when a deploy has brought others."""

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import UsageError
from tinykit_ops.rotate.given import State, rotate_given


@pytest.fixture
def host(make_settings, tmp_path):
    """(configuration, write a secret, folder of what is remembered)"""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    settings = make_settings(llm={"provider": "openai", "api_key": {"env": "KEY"}})

    def write(value):
        path = secrets / "llm-api-key"
        path.write_text(value)
        path.chmod(0o600)

    write("the-old-key")
    return AgentConfig(settings, secrets), write, tmp_path / "rotating"


def test_the_old_key_is_remembered_for_root_alone_until_a_new_one_came(host):
    config, _, folder = host
    for _ in range(2):
        (one,) = rotate_given(config, "llm-key", folder=folder)
        assert one.state is State.WAITING
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "llm-api-key").stat().st_mode & 0o777 == 0o600


def test_an_old_key_that_is_left_somewhere_is_told_and_not_forgotten(host):
    config, write, folder = host
    rotate_given(config, "llm-key", folder=folder)
    write("the-new-key")
    asked = []

    def find(value, but):
        asked.append((value, but))
        return ["file /etc/somewhere"]

    for _ in range(2):
        (one,) = rotate_given(config, "llm-key", find, folder)
        assert (one.state, one.places) == (State.LEFT, ("file /etc/somewhere",))
    assert asked == [("the-old-key", [folder / "llm-api-key"])] * 2


def test_an_old_key_that_is_nowhere_is_forgotten(host):
    config, write, folder = host
    rotate_given(config, "llm-key", folder=folder)
    write("the-new-key")
    (one,) = rotate_given(config, "llm-key", lambda *_, **__: [], folder)
    assert one.state is State.GONE
    assert list(folder.iterdir()) == []


def test_what_the_inventory_does_not_give_cannot_be_rotated_this_way(host):
    with pytest.raises(UsageError, match="gives no backup-credentials"):
        rotate_given(host[0], "backup-credentials", folder=host[2])
