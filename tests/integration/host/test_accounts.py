"""Accounts of a claimed instance: added, removed, and given new passwords, on both versions."""

import pytest

from tinykit_ops import layout
from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.host.accounts import Accounts
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseAccessError
from tinykit_ops.settings import load_settings

SECRETS = {layout.SUPERUSER_PASSWORD: "superuser-password", layout.ADMIN_PASSWORD: "first-password"}
SETTINGS = load_settings(
    {
        "domains": ["apps.example.com"],
        "admin_email": "admin@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    },
    where="test",
)


@pytest.fixture
def accounts(instance):
    """The accounts of a claimed instance, which has one."""
    instance.make_superuser(SECRETS[layout.SUPERUSER_PASSWORD])
    instance.start()
    ClaimStep(SETTINGS, SECRETS.__getitem__, instance.url).apply()
    with as_superuser(SETTINGS, SECRETS.__getitem__, instance.url) as pocketbase:
        yield Accounts(SETTINGS, pocketbase)


def can_log_in(accounts, email, password):
    with PocketBase(accounts.pocketbase.url) as client:
        try:
            client.login("users", email, password)
        except PocketBaseAccessError:
            return False
        return True


def test_an_added_account_is_listed_and_can_log_in(accounts):
    accounts.add("ann@example.com", "a-good-password", "Ann")
    found = [(each.email, each.kind) for each in accounts.list()]
    assert found == [
        ("admin@example.com", "account"),
        ("ann@example.com", "account"),
        ("admin@example.com", "superuser"),
    ]
    assert can_log_in(accounts, "ann@example.com", "a-good-password")


def test_an_account_is_made_once_and_with_a_password_that_will_do(accounts):
    with pytest.raises(UsageError, match="already"):
        accounts.add("Admin@example.com", "a-good-password")
    with pytest.raises(UsageError, match="fewer than 10"):
        accounts.add("ann@example.com", "short")
    assert len(accounts.list()) == 2


def test_a_new_password_ends_the_logins_of_before_and_only_those(accounts):
    accounts.add("ann@example.com", "a-good-password")
    with PocketBase(accounts.pocketbase.url) as ann, PocketBase(ann.url) as admin:
        ann.login("users", "ann@example.com", "a-good-password")
        admin.login("users", "admin@example.com", "first-password")
        ann.call("POST", "/api/collections/users/auth-refresh")
        accounts.reset_password("ann@example.com", "another-password")
        with pytest.raises(TinykitOpsError) as refused:
            ann.call("POST", "/api/collections/users/auth-refresh")
        assert refused.value.status in {401, 403}
        admin.call("POST", "/api/collections/users/auth-refresh")
    assert not can_log_in(accounts, "ann@example.com", "a-good-password")
    assert can_log_in(accounts, "ann@example.com", "another-password")


def test_a_removed_account_is_gone_with_its_logins(accounts):
    accounts.add("ann@example.com", "a-good-password")
    with PocketBase(accounts.pocketbase.url) as ann:
        ann.login("users", "ann@example.com", "a-good-password")
        accounts.remove("ann@example.com")
        with pytest.raises(TinykitOpsError):
            ann.call("POST", "/api/collections/users/auth-refresh")
    assert not can_log_in(accounts, "ann@example.com", "a-good-password")


def test_the_last_account_and_the_inventorys_own_stay_unless_somebody_insists(accounts):
    with pytest.raises(UsageError, match="last account"):
        accounts.remove("admin@example.com")
    accounts.add("ann@example.com", "a-good-password")
    with pytest.raises(UsageError, match="next deploy would make it again"):
        accounts.remove("admin@example.com")
    accounts.remove("admin@example.com", even_if_needed=True)
    assert [each.email for each in accounts.list() if each.kind == "account"] == ["ann@example.com"]


def test_an_account_that_is_not_there_is_said_to_be_so(accounts):
    with pytest.raises(UsageError, match="no account nobody"):
        accounts.remove("nobody@example.com")
    with pytest.raises(UsageError, match="no account nobody"):
        accounts.reset_password("nobody@example.com", "a-good-password")
