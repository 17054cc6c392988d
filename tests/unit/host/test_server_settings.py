"""What PocketBase's settings become, for servers that can more and less."""

import pytest

from tinykit_ops import layout
from tinykit_ops.edge.route import Limit
from tinykit_ops.host.server_settings import changes, rules, superuser_addresses

STANDARD_RULES = [
    {"label": "*:auth", "audience": "", "duration": 3, "maxRequests": 2},
    {"label": "*:create", "audience": "", "duration": 5, "maxRequests": 20},
    {"label": "/api/batch", "audience": "", "duration": 1, "maxRequests": 3},
    {"label": "/api/", "audience": "", "duration": 10, "maxRequests": 300},
]
OLD = {
    "meta": {"appName": "Acme", "appURL": "http://localhost:8090"},
    "trustedProxy": {"headers": [], "useLeftmostIP": False},
    "rateLimits": {"enabled": False, "rules": STANDARD_RULES},
    "smtp": {"enabled": True},
}
NEW = {
    **OLD,
    "rateLimits": {**OLD["rateLimits"], "excludedIPs": []},
    "superuserIPs": [],
}
ALLOWLIST = ["203.0.113.7", "2001:db8::/48"]


def applied(settings, current):
    """The settings after every change, and what was said of each."""
    made = list(changes(settings, current))
    for _, patch in made:
        current = {**current, **patch}
    return current, [what for what, _ in made]


def labels(current):
    return [rule["label"] for rule in current["rateLimits"]["rules"]]


@pytest.mark.parametrize("server", [OLD, NEW], ids=["old", "new"])
def test_nothing_is_left_to_do_after_one_run(make_settings, server):
    after, said = applied(make_settings(), server)
    assert len(said) == (4 if server is NEW else 3)
    assert list(changes(make_settings(), after)) == []


def test_a_server_is_asked_only_for_what_it_can(make_settings):
    after, _ = applied(make_settings(), OLD)
    assert "superuserIPs" not in after
    assert "excludedIPs" not in after["rateLimits"]


def test_an_old_server_limits_nothing_that_published_pages_need(make_settings):
    after, _ = applied(make_settings(), OLD)
    limits = [f"{layout.LIMIT_ROUTE}/{limit}" for limit in Limit]
    assert labels(after) == ["*:auth", *limits]


def test_a_new_server_leaves_loopback_out_and_has_a_ceiling_for_all_others(make_settings):
    after, _ = applied(make_settings(), NEW)
    assert after["rateLimits"]["excludedIPs"] == ["127.0.0.1", "::1"]
    assert {"*:auth", "*:create", "/api/", layout.JUDGE_ROUTE} <= set(labels(after))


def test_the_numbers_are_the_settings(make_settings):
    limits = {"writes": 7, "proxied": 8, "logins": 9}
    settings = make_settings(edge={"limits": limits})
    most = {
        rule["label"]: (rule["maxRequests"], rule["duration"])
        for rule in rules(settings, loopback_is_left_out=True)
    }
    assert most["*:auth"] == (9, 60)
    assert {name: most[f"{layout.LIMIT_ROUTE}/{name}"] for name in limits} == {
        name: (number, 60) for name, number in limits.items()
    }


def test_tinykit_itself_may_log_in_where_loopback_counts(make_settings):
    settings = make_settings(edge={"limits": {"logins": 2}})
    first = {
        left_out: rules(settings, loopback_is_left_out=left_out)[0]["maxRequests"]
        for left_out in (True, False)
    }
    assert first == {True: 2, False: 10}


def test_what_an_operator_added_stays(make_settings):
    own = {"label": "notes:list", "audience": "@guest", "duration": 9, "maxRequests": 5}
    limits = {
        "enabled": False,
        "rules": [*STANDARD_RULES, own],
        "excludedIPs": ["192.0.2.0/24"],
    }
    after, _ = applied(make_settings(), {**NEW, "rateLimits": limits})
    assert after["rateLimits"]["rules"][0] == own
    assert after["rateLimits"]["excludedIPs"] == ["192.0.2.0/24", "127.0.0.1", "::1"]
    assert after["meta"]["appName"] == "Acme"
    assert after["smtp"] == {"enabled": True}
    assert list(changes(make_settings(), after)) == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"rateLimits": {"enabled": False}},
        {"rateLimits": {"excludedIPs": []}},
        {"rateLimits": {"rules": []}},
        {"trustedProxy": {"headers": []}},
        {"trustedProxy": {"headers": ["X-Real-IP", "X-Forwarded-For"]}},
        {"trustedProxy": {"useLeftmostIP": True}},
        {"meta": {"appURL": "https://elsewhere.example.com"}},
    ],
)
def test_what_was_undone_by_hand_is_one_change(make_settings, spoiled):
    after, _ = applied(make_settings(), NEW)
    worse = {**after, **{name: {**after[name], **keys} for name, keys in spoiled.items()}}
    again, said = applied(make_settings(), worse)
    assert len(said) == 1
    assert again == after


def test_more_that_a_later_server_tells_of_a_rule_is_no_change(make_settings):
    after, _ = applied(make_settings(), NEW)
    told = [{**rule, "note": "later"} for rule in after["rateLimits"]["rules"]]
    later = {**after, "rateLimits": {**after["rateLimits"], "rules": told}}
    assert list(changes(make_settings(), later)) == []


def test_the_apps_address_is_the_builders(make_settings):
    after, _ = applied(make_settings(builder_domain="build.example.com"), NEW)
    assert after["meta"]["appURL"] == "https://build.example.com"


@pytest.mark.parametrize(
    ("admin", "limited"),
    [
        ({"require": ["allowlist"]}, True),
        ({"require": ["allowlist"], "match": "any"}, True),
        ({"require": ["account", "allowlist"]}, True),
        ({"require": ["account", "allowlist"], "match": "any"}, False),
        ({"require": ["account"]}, False),
        ({"require": ["basic", "account"]}, False),
    ],
)
def test_superusers_are_held_to_the_allowlist_when_their_gate_is(make_settings, admin, limited):
    settings = make_settings(access={"admin": admin, "allowlist": ALLOWLIST})
    networks = ["127.0.0.1", "::1", "203.0.113.7/32", "2001:db8::/48"]
    assert superuser_addresses(settings) == (networks if limited else [])


def test_tinykits_own_login_is_never_shut_out(make_settings):
    assert superuser_addresses(make_settings()) == ["127.0.0.1", "::1"]
