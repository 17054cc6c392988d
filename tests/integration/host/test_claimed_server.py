"""PocketBase's limits and addresses after the claim, on both versions."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from waiting import PATIENCE

from tinykit_ops import layout
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.settings import load_settings

SUPERUSER = "superuser-password"
SECRETS = {layout.SUPERUSER_PASSWORD: SUPERUSER, layout.ADMIN_PASSWORD: "first-password"}
SETTINGS = {
    "domains": ["apps.example.com"],
    "builder_domain": "build.example.com",
    "admin_email": "admin@example.com",
    "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    "edge": {"limits": {"logins": 12, "writes": 5}},
    "access": {"allowlist": ["203.0.113.0/24"]},
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


def log_in(instance, address, collection="users", password="wrong-password"):
    return requests.post(
        f"{instance.url}/api/collections/{collection}/auth-with-password",
        json={"identity": "admin@example.com", "password": password},
        headers={"X-Forwarded-For": address} if address else {},
        timeout=PATIENCE,
    )


def superuser(instance):
    pocketbase = PocketBase(instance.url)
    pocketbase.login_superuser("admin@example.com", SUPERUSER)
    return pocketbase


def real_ip(instance, forwarded):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with superuser(instance) as pocketbase:
        return pocketbase.call("GET", "/api/health", headers=headers)["data"]["realIP"]


def can(instance, key):
    with superuser(instance) as pocketbase:
        settings = pocketbase.get_settings()
        return key in settings or key in settings["rateLimits"]


def test_the_check_names_what_is_left_and_a_second_run_does_nothing(instance):
    instance.make_superuser(SUPERUSER)
    instance.start()
    left = step(instance).pending()
    assert "appURL https://build.example.com" in left
    assert "take the client's address from X-Forwarded-For" in left
    assert "limits of requests and logins" in left
    addresses = "superusers from 127.0.0.1, ::1, 203.0.113.0/24"
    assert (addresses in left) == can(instance, "superuserIPs")
    step(instance).apply()
    assert step(instance).pending() == []


def test_the_builders_domain_is_not_told_to_tinykit_as_an_apps(claimed):
    with superuser(claimed) as pocketbase:
        (row,) = pocketbase.records("_tk_settings", 'id = "available_domains"')
    assert [entry["hostname"] for entry in row["value"]["domains"]] == ["apps.example.com"]


def test_a_changed_setting_is_one_change(claimed):
    limits = {"limits": {"logins": 13, "writes": 5}}
    assert step(claimed, edge=limits).pending() == ["limits of requests and logins"]
    step(claimed, edge=limits).apply()
    assert step(claimed, edge=limits).pending() == []


def test_what_an_operator_set_by_hand_stays(claimed):
    rule = {"label": "/api/files/", "audience": "@guest", "duration": 9, "maxRequests": 1000}
    with superuser(claimed) as pocketbase:
        now = pocketbase.get_settings()
        limits = {**now["rateLimits"], "rules": [rule, *now["rateLimits"]["rules"]]}
        meta = {**now["meta"], "appName": "Ours"}
        changed = {"rateLimits": limits, "meta": meta, "logs": {**now["logs"], "maxDays": 9}}
        pocketbase.update_settings(changed)
        assert step(claimed).pending() == []
        pocketbase.update_settings({"rateLimits": {**limits, "enabled": False}})
        step(claimed).apply()
        after = pocketbase.get_settings()
    assert rule in after["rateLimits"]["rules"] and after["rateLimits"]["enabled"]
    assert (after["meta"]["appName"], after["logs"]["maxDays"]) == ("Ours", 9)


def test_the_last_forwarded_address_is_the_clients_and_none_means_loopback(claimed):
    # Superusers are held to loopback and the allowlist, so both are asked with such addresses.
    assert real_ip(claimed, "198.51.100.1, 203.0.113.5") == "203.0.113.5"
    assert real_ip(claimed, "") == "127.0.0.1"


def test_logins_from_one_address_are_limited_and_another_address_is_not(claimed):
    answers = [log_in(claimed, "198.51.100.1").status_code for _ in range(26)]
    # The window is a fixed minute: it may begin anew once in the middle.
    assert Counter(answers)[429] >= 2
    assert 12 <= Counter(answers)[400] <= 24
    assert log_in(claimed, "198.51.100.2").status_code == 400
    assert log_in(claimed, "198.51.100.2", password="first-password").status_code == 200


def test_guessing_from_outside_never_shuts_tinykits_server_out(claimed):
    for _ in range(13):
        log_in(claimed, "198.51.100.1", "_superusers")
    assert log_in(claimed, None, "_superusers", SUPERUSER).status_code == 200


def test_published_pages_are_never_limited(claimed):
    """tinykit reads for all visitors from loopback, uploads without a login."""
    with superuser(claimed) as pocketbase:
        limits = pocketbase.get_settings()["rateLimits"]
        for rule in limits["rules"]:
            if rule["label"] == "/api/":
                rule["maxRequests"] = 50  # so that it would show soon
        pocketbase.update_settings({"rateLimits": limits})
    urls = [f"{claimed.url}/api/health", f"{claimed.url}/api/collections/users/auth-methods"]

    def ask(number, address=None):
        headers = {"X-Forwarded-For": address} if address else {}
        return requests.get(urls[number % 2], headers=headers, timeout=PATIENCE).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(ask, range(600))) == {200: 600}
    outside = Counter(ask(0, "198.51.100.1") for _ in range(200))
    assert (outside[429] > 0) == can(claimed, "excludedIPs")


def test_the_judge_is_never_limited_for_a_busy_builder(claimed):
    path = f"{claimed.url}{layout.JUDGE_ROUTE}?need=account&match=all"
    headers = {"X-Tinykit-Ops-Token": claimed.hook_token, "X-Forwarded-For": "198.51.100.7"}
    with ThreadPoolExecutor(8) as pool:
        seen = pool.map(lambda _: requests.get(path, headers=headers, timeout=PATIENCE), range(400))
        assert {answer.status_code for answer in seen} == {401}


def test_the_edges_questions_about_limits_are_counted_by_address_and_name(claimed):
    def ask(name, address):
        headers = {"X-Tinykit-Ops-Token": claimed.hook_token, "X-Forwarded-For": address}
        url = f"{claimed.url}{layout.LIMIT_ROUTE}/{name}"
        return requests.get(url, headers=headers, timeout=PATIENCE).status_code

    answers = Counter(ask("writes", "198.51.100.1") for _ in range(12))
    assert answers[429] >= 2 and 5 <= answers[204] <= 10
    assert ask("writes", "2001:db8::1") == 204
    assert ask("proxied", "198.51.100.1") == 204
    assert ask("nothing", "198.51.100.1") == 404


def test_superusers_come_from_loopback_and_the_allowlist_where_the_version_can(claimed):
    if not can(claimed, "superuserIPs"):
        assert real_ip(claimed, "198.51.100.1") == "198.51.100.1"
        return
    with superuser(claimed) as pocketbase:
        for address, status in (("198.51.100.1", 403), ("203.0.113.9", 200)):
            answer = pocketbase._http.get(
                f"{claimed.url}/api/settings",
                headers={"X-Forwarded-For": address},
                timeout=PATIENCE,
            )
            assert answer.status_code == status
    open_gate = {"admin": {"require": ["account"]}}
    assert step(claimed, access=open_gate).pending() == ["superusers from anywhere"]
    step(claimed, access=open_gate).apply()
    assert real_ip(claimed, "198.51.100.1") == "198.51.100.1"
