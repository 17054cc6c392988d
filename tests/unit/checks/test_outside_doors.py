"""Ports, the open proxy, forged addresses, and how keys look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from checks_imitations import hardened, verdict
from checks_pocketbase import FakePocketBase, known_to
from checks_site import Site, say

from tinykit_ops.checks.context import Context, Stance
from tinykit_ops.checks.keys import keys_in, private_file
from tinykit_ops.checks.model import Outcome
from tinykit_ops.settings.metrics import MetricsSettings

Look = Callable[..., Context]
KEY = "sk-ant-" + "a1" * 20
FETCHED = "/api/proxy?url=http://[::ffff:127.0.0.1]:3000/_tk/assets/placeholder.jpg"


def test_a_port_of_a_mistake_is_found(look_at: Look, serve: Callable[..., Site]) -> None:
    seen = verdict("network.nothing-else-open", look_at(ports={6379: serve().port}))
    assert seen.outcome == Outcome.FAIL
    assert "Redis" in seen.evidence[0]


def test_metrics_that_are_open_to_a_stranger_are_found_and_to_a_scraper_they_may_be(
    look_at: Look, serve: Callable[..., Site]
) -> None:
    wanted = MetricsSettings.model_validate({"enabled": True, "scrapers": ["203.0.113.9"]})
    known = look_at().settings
    assert known
    for stance, outcome in ((Stance.STRANGER, Outcome.FAIL), (Stance.TRUSTED, Outcome.PASS)):
        look = look_at(ports={9100: serve().port, 9113: serve().port}, stance=stance)
        look.settings = known.model_copy(update={"metrics": wanted})
        assert verdict("network.nothing-else-open", look).outcome == outcome


def test_metrics_on_a_port_of_the_settings_are_looked_for(
    look_at: Look, serve: Callable[..., Site]
) -> None:
    look = look_at(ports={10000: serve().port})
    assert verdict("network.nothing-else-open", look).outcome == Outcome.PASS
    wanted = MetricsSettings(enabled=True, node_port=10000)
    assert look.settings
    look.settings = look.settings.model_copy(update={"metrics": wanted})
    assert verdict("network.nothing-else-open", look).outcome == Outcome.FAIL


def test_ssh_is_judged_by_what_the_settings_want(look_at: Look, serve: Callable[..., Site]) -> None:
    look = look_at(ports={22: serve().port})
    assert verdict("network.ssh-allowlist", look).outcome == Outcome.FAIL
    assert verdict("network.ssh-allowlist", look_at()).outcome == Outcome.PASS
    assert look.settings
    look.settings = look.settings.model_copy(update={"firewall": type(look.settings.firewall)()})
    assert verdict("network.ssh-allowlist", look).outcome == Outcome.PASS


KNOCKING = ("network.nothing-else-open", "network.ports-closed", "network.ssh-allowlist")
CDN = {"mode": "cdn", "cdn": {"networks": ["203.0.113.0/24"]}, "ssh_from": ["203.0.113.7"]}


def behind_a_cdn(look: Context, **aim: object) -> Context:
    assert look.settings
    assert look.outsider
    firewall = type(look.settings.firewall).model_validate(CDN)
    look.settings = look.settings.model_copy(update={"firewall": firewall})
    look.outsider = replace(look.outsider, target=replace(look.outsider.target, **aim))
    return look


@pytest.mark.parametrize("check", KNOCKING)
def test_the_ports_of_a_cdn_are_not_taken_for_the_hosts(
    look_at: Look, serve: Callable[..., Site], check: str
) -> None:
    everything = dict.fromkeys((22, 3000, 8080), serve().port)
    for ports in ({}, everything):
        seen = verdict(check, behind_a_cdn(look_at(ports=ports), overrides={}))
        assert seen.outcome == Outcome.UNKNOWN
        assert "network.firewall-drops" in seen.evidence[0]


@pytest.mark.parametrize("check", KNOCKING)
def test_a_host_behind_a_cdn_is_knocked_at_where_its_own_address_is_given(
    look_at: Look, serve: Callable[..., Site], check: str
) -> None:
    everything = dict.fromkeys((22, 3000, 8080), serve().port)
    by_resolve, by_address = {}, {"overrides": {}, "host": "192.0.2.7"}
    for aim in (by_resolve, by_address):
        assert verdict(check, behind_a_cdn(look_at(), **aim)).outcome == Outcome.PASS
        assert verdict(check, behind_a_cdn(look_at(ports=everything), **aim)).outcome == (
            Outcome.FAIL
        )


# The open proxy.

CONTROL = "/api/proxy?url=http://[::ffff:127.0.0.1]:8091/api/health"


@pytest.mark.parametrize(
    ("fetched", "control", "with_settings", "without"),
    [
        (200, 200, Outcome.FAIL, Outcome.FAIL),
        (403, 403, Outcome.PASS, Outcome.PASS),
        (502, 502, Outcome.PASS, Outcome.PASS),
        (502, 200, Outcome.PASS, Outcome.UNKNOWN),
        (502, 429, Outcome.UNKNOWN, Outcome.UNKNOWN),
        (500, 200, Outcome.UNKNOWN, Outcome.UNKNOWN),
    ],
)
def test_the_open_proxy_is_judged_by_what_it_fetches_from_inside(
    look_at: Look, fetched: int, control: int, with_settings: Outcome, without: Outcome
) -> None:
    look = look_at({**hardened(), FETCHED: say(fetched, "<svg></svg>"), CONTROL: say(control)})
    assert verdict("proxy.fetches-nothing-inside", look).outcome == with_settings
    look.settings = None
    assert verdict("proxy.fetches-nothing-inside", look).outcome == without


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Outcome.FAIL),
        (200, Outcome.FAIL),
        (302, Outcome.FAIL),
        (502, Outcome.PASS),
        (429, Outcome.UNKNOWN),
        (503, Outcome.UNKNOWN),
    ],
)
def test_an_answer_of_something_else_inside_is_no_refusal(
    look_at: Look, status: int, outcome: Outcome
) -> None:
    healthy = say(200, '{"message":"API is healthy.","code":200,"data":{}}')
    look = look_at({**hardened(), FETCHED: say(status, "of another"), CONTROL: healthy})
    assert verdict("proxy.fetches-nothing-inside", look).outcome == outcome


# Whom PocketBase takes a visitor for.


def through_the_edge(address: str) -> Context:
    server = FakePocketBase()
    for prefix in ("", "/_pb"):
        path = f"GET {prefix}/api/health"
        server.answers[path] = (200, {"data": {"realIP": address}})
    look = known_to(server)
    assert look.superuser
    look.superuser.prefix = "/_pb"
    return look


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", Outcome.PASS),
        ("198.51.100.99", Outcome.FAIL),
        ("198.51.100.97", Outcome.FAIL),
        ("127.0.0.1", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
    ],
)
def test_an_address_that_the_request_chose_is_a_finding(address: str, expected: Outcome) -> None:
    assert verdict("proxy.forwarded-for", through_the_edge(address)).outcome == expected


# How keys and files look.


@pytest.mark.parametrize(
    "text",
    [
        "sk-...",
        "sk-your-key",
        'placeholder="sk-ant-..."',
        "AIza",
        "AKIAEXAMPLE",
        "task-list-of-things",
    ],
)
def test_placeholders_are_no_keys(text: str) -> None:
    assert keys_in(text) == []


def test_keys_are_told_by_their_kind_only() -> None:
    assert keys_in(f"x={KEY}") == ["an Anthropic key"]
    assert keys_in("sk-proj-" + "b2" * 20) == ["an OpenAI-style key"]


@pytest.mark.parametrize(
    "text", ["<html>A=B</html>", "body { color: red }", '{"name":"other"}', ""]
)
def test_pages_are_no_private_files(text: str) -> None:
    assert private_file(text) == ""
