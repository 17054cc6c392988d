"""The superuser's password is rotated under a server that must never be without a login."""

import re
from pathlib import Path

import pytest

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.host.secrets_step import SecretsStep
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.pocketbase.client import SUPERUSERS, PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseAccessError
from tinykit_ops.rotate.logins import end_all_logins
from tinykit_ops.rotate.superuser import STAND_IN, SuperuserRotation
from tinykit_ops.rotate.tinykit import Tinykit
from tinykit_ops.settings import load_settings

EMAIL = "admin@example.com"
OLD = "superuser-password-of-before"
FIRST = "first-password"
SETTINGS = load_settings(
    {
        "domains": ["apps.example.com"],
        "admin_email": EMAIL,
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    },
    where="test",
)
STEPS = 5


class Stopped(Exception):  # noqa: N818
    """The run was killed."""


class Server(Tinykit):
    """Logs in once, when it starts, and keeps that login, as tinykit does."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder / "environment")
        self.started = ""
        self.client = PocketBase(url)
        self.restarts = 0

    def is_stale(self) -> bool:
        return self.environment.read_text() != self.started

    def restart(self) -> None:
        text = self.environment.read_text()
        email, password = (
            re.search(rf'^POCKETBASE_ADMIN_{name}="(.*)"$', text, re.MULTILINE)[1]
            for name in ("EMAIL", "PASSWORD")
        )
        self.client.login_superuser(email, password)
        self.started = text
        self.restarts += 1

    def serves(self) -> None:
        """Fails when its login has become worthless."""
        self.client.get_settings()


@pytest.fixture
def host(instance, tmp_path):
    """A claimed instance, its secrets, and a server that runs with them."""
    instance.make_superuser(OLD)
    instance.start()
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / layout.SUPERUSER_PASSWORD).write_text(OLD)
    (folder / layout.SUPERUSER_PASSWORD).chmod(0o600)
    (folder / layout.ADMIN_PASSWORD).write_text(FIRST)
    (folder / layout.ADMIN_PASSWORD).chmod(0o600)
    config = AgentConfig(SETTINGS, folder)
    ClaimStep(SETTINGS, config.secret, instance.url).apply()
    server = Server(tmp_path, instance.url)
    server.run_with(SecretsStep(SETTINGS, folder, server.environment).environment_for(EMAIL, OLD))
    return config, server, instance.url


def rotation(host, stop_at=0):
    """A rotation; it is killed when it begins its step of that number."""
    config, server, url = host
    told = []

    def say(line):
        server.serves()
        told.append(line)
        if len(told) == stop_at:
            raise Stopped(line)

    return SuperuserRotation(config, server, url, say)


def assert_rotated(host):
    config, server, url = host
    server.serves()
    new = config.secret(layout.SUPERUSER_PASSWORD)
    assert new != OLD
    assert new in server.environment.read_text()
    assert EMAIL in server.environment.read_text()
    with as_superuser(SETTINGS, config.secret, url) as pocketbase:
        assert [row["email"] for row in pocketbase.records(SUPERUSERS)] == [EMAIL]
    for email, password in ((EMAIL, OLD), (STAND_IN, new)):
        with PocketBase(url) as client, pytest.raises(PocketBaseAccessError):
            client.login_superuser(email, password)


def test_the_old_password_and_its_logins_are_dead_and_the_server_always_had_a_login(host):
    config, _, url = host
    with PocketBase(url) as before:
        before.login_superuser(EMAIL, OLD)
        one = rotation(host)
        assert one.run() == OLD
        assert_rotated(host)
        with pytest.raises(TinykitOpsError):
            before.get_settings()
    one.forget()
    assert not one.is_under_way
    assert OLD not in "".join(path.read_text() for path in config.secrets_dir.iterdir())


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_rotation_that_was_killed_at_any_step_is_finished_by_the_next_run(host, step):
    with pytest.raises(Stopped):
        rotation(host, stop_at=step).run()
    host[1].serves()
    again = rotation(host)
    assert again.is_under_way
    assert again.run() == OLD
    assert_rotated(host)


def test_a_kill_between_the_file_and_the_database_is_mended_too(host, monkeypatch):
    def killed(*_):
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(SuperuserRotation, "_change", killed)
        with pytest.raises(Stopped):
            rotation(host).run()
    assert rotation(host).run() == OLD
    assert_rotated(host)


def test_a_password_that_the_inventory_will_give_is_taken(host):
    rotation(host).run("the-password-of-the-inventory")
    assert host[0].secret(layout.SUPERUSER_PASSWORD) == "the-password-of-the-inventory"
    assert_rotated(host)


def test_the_same_password_again_and_another_one_in_between_are_refused(host):
    with pytest.raises(UsageError, match="has this password already"):
        rotation(host).run(OLD)
    with pytest.raises(Stopped):
        rotation(host, stop_at=2).run()
    with pytest.raises(UsageError, match="under way"):
        rotation(host).run("something-else-entirely")


def test_ending_all_logins_ends_every_accounts_login_and_nobody_elses(host):
    config, server, url = host
    with PocketBase(url) as account, as_superuser(SETTINGS, config.secret, url) as pocketbase:
        account.login("users", EMAIL, FIRST)
        account.call("POST", "/api/collections/users/auth-refresh")
        end_all_logins(pocketbase)
        with pytest.raises(TinykitOpsError):
            account.call("POST", "/api/collections/users/auth-refresh")
        account.login("users", EMAIL, FIRST)
        account.call("POST", "/api/collections/users/auth-refresh")
    server.serves()
