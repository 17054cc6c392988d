"""Claiming a fresh instance, on a real PocketBase of both versions."""

import pytest
import requests
from waiting import PATIENCE

from tinykit_ops import layout
from tinykit_ops.errors import AccessError
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.settings import load_settings

SUPERUSER = ' sp\'ace "quote" $x `y` \\n %s '
ADMIN = "first-account-password"
SECRETS = {layout.SUPERUSER_PASSWORD: SUPERUSER, layout.ADMIN_PASSWORD: ADMIN}
SETTINGS = {
    "domains": ["apps.example.com", "www.apps.example.com", "other.example.com"],
    "admin_email": "admin@example.com",
    "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
}


def step(instance, **changes):
    settings = load_settings({**SETTINGS, **changes}, where="test")
    return ClaimStep(settings, SECRETS.__getitem__, instance.url)


@pytest.fixture
def claimed(instance):
    """A running, claimed instance."""
    instance.make_superuser(SUPERUSER)
    instance.start()
    step(instance).apply()
    return instance


def rows(instance, collection):
    with PocketBase(instance.url) as pocketbase:
        pocketbase.login_superuser("admin@example.com", SUPERUSER)
        return list(pocketbase.records(collection))


def seeded(instance):
    (row,) = [row for row in rows(instance, "_tk_settings") if row["id"] == "available_domains"]
    return [entry["hostname"] for entry in row["value"]["domains"]]


def test_a_fresh_instance_has_everything_to_do_and_a_claimed_one_nothing(instance):
    instance.make_superuser(SUPERUSER)
    instance.start()
    left = " ".join(step(instance).pending())
    assert "account admin@example.com" in left
    assert "seed domains apps.example.com, other.example.com" in left
    step(instance).apply()
    assert step(instance).pending() == []


def test_no_install_link_is_ever_printed(claimed):
    assert "pbinstall" not in claimed.log()
    assert SUPERUSER not in claimed.log()


def test_nobody_can_sign_up_or_list_accounts_or_read_settings(claimed):
    account = {"email": "x@example.com", "password": "x" * 12, "passwordConfirm": "x" * 12}
    users = f"{claimed.url}/api/collections/users/records"
    assert requests.post(users, json=account, timeout=PATIENCE).status_code in {400, 403}
    login = {"identity": "admin@example.com", "password": ADMIN}
    url = f"{claimed.url}/api/collections/users/auth-with-password"
    token = requests.post(url, json=login, timeout=PATIENCE).json()["token"]
    for headers in ({}, {"Authorization": token}):
        assert requests.get(users, headers=headers, timeout=PATIENCE).status_code == 403
        settings = f"{claimed.url}/api/collections/_tk_settings/records"
        assert requests.get(settings, headers=headers, timeout=PATIENCE).status_code == 403


def test_rules_that_were_opened_by_hand_are_closed_again(claimed):
    with PocketBase(claimed.url) as pocketbase:
        pocketbase.login_superuser("admin@example.com", SUPERUSER)
        pocketbase.update_collection("users", {"createRule": "", "listRule": ""})
    assert step(claimed).pending() == ["close createRule, listRule of users"]
    step(claimed).apply()
    assert step(claimed).pending() == []


def test_a_new_domain_is_added_and_the_old_ones_stay(claimed):
    more = [*SETTINGS["domains"], "new.example.com"]
    assert step(claimed, domains=more).pending() == ["seed domains new.example.com"]
    step(claimed, domains=more).apply()
    assert seeded(claimed) == ["apps.example.com", "other.example.com", "new.example.com"]


def test_an_account_is_never_made_twice_nor_given_another_password(claimed):
    changed = {**SECRETS, layout.ADMIN_PASSWORD: "another-password"}
    settings = load_settings(SETTINGS, where="test")
    ClaimStep(settings, changed.__getitem__, claimed.url).apply()
    assert len(rows(claimed, "users")) == 1


def test_a_changed_superuser_password_holds_from_the_next_start_on(claimed):
    claimed.stop()
    claimed.make_superuser("the-new-password")
    claimed.start()
    with pytest.raises(AccessError):
        step(claimed).apply()
    assert step(claimed).pending() != []
    with PocketBase(claimed.url) as pocketbase:
        pocketbase.login_superuser("admin@example.com", "the-new-password")


def test_an_instance_that_does_not_answer_is_still_to_be_claimed(instance):
    instance.url = "http://127.0.0.1:1"
    assert len(step(instance).pending()) == 1
