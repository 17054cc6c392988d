"""Exporters are for loopback, or behind a firewall that lets in whom it names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks_host import NFT, good_host, on, ruleset, sockets
from checks_imitations import verdict

from tinykit_ops.checks.model import Outcome

WORLD4 = "00000000:238C"  # port 9100
WORLD6 = "00000000000000000000000000000000:2399"  # port 9113
CHECK = "network.metrics-private"


def match(field: str, right: Any) -> dict[str, Any]:
    left = {"payload": {"protocol": "ip" if field == "saddr" else "tcp", "field": field}}
    return {"match": {"op": "==", "left": left, "right": right}}


def rules(*expressions: dict[str, Any]) -> str:
    return ruleset(rules=[*expressions, {"accept": None}])


def test_a_host_without_exporters_and_one_on_loopback_pass() -> None:
    assert verdict(CHECK, on(good_host())).outcome == Outcome.PASS
    local = good_host().with_file("/proc/net/tcp", "root", 0o444, sockets("0100007F:238C"))
    assert verdict(CHECK, on(local)).outcome == Outcome.PASS


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ruleset(), Outcome.PASS),
        (rules(match("dport", {"set": [9100, 9113]}), match("saddr", "@metrics4")), Outcome.PASS),
        (rules(match("dport", {"set": [80, 443]})), Outcome.PASS),
        (rules(match("dport", 9100)), Outcome.FAIL),
        (rules(match("dport", {"set": [22, 9100]})), Outcome.FAIL),
        (rules(match("dport", {"range": [9000, 9200]})), Outcome.FAIL),
        (rules(match("dport", {"set": [{"range": [9000, 9200]}]})), Outcome.FAIL),
        (ruleset(policy="accept"), Outcome.FAIL),
        (ruleset(family="ip6"), Outcome.FAIL),
        (json.dumps({"other": []}), Outcome.UNKNOWN),
    ],
)
def test_one_on_every_address_needs_a_firewall_that_keeps_the_world_out(
    answer: str, outcome: Outcome
) -> None:
    host = good_host().with_file("/proc/net/tcp", "root", 0o444, sockets(WORLD4))
    assert verdict(CHECK, on(host.saying(NFT, answer))).outcome == outcome


def test_the_wildcard_of_ipv6_needs_a_firewall_for_both_families() -> None:
    host = good_host().with_file("/proc/net/tcp6", "root", 0o444, sockets(WORLD6))
    assert verdict(CHECK, on(host.saying(NFT, ruleset(family="ip")))).outcome == Outcome.FAIL
    assert verdict(CHECK, on(host)).outcome == Outcome.PASS


def test_the_ports_of_the_settings_are_looked_at() -> None:
    host = good_host().with_file("/proc/net/tcp", "root", 0o444, sockets("00000000:2710"))
    host = host.saying(NFT, ruleset(policy="accept"))
    assert verdict(CHECK, on(host)).outcome == Outcome.PASS
    elsewhere = {"enabled": True, "node_port": 10000}
    assert verdict(CHECK, on(host, metrics=elsewhere)).outcome == Outcome.FAIL


def test_rules_that_cannot_be_read_prove_nothing() -> None:
    host = good_host().with_file("/proc/net/tcp", "root", 0o444, sockets(WORLD4))
    assert verdict(CHECK, on(host.saying(NFT, "", 1))).outcome == Outcome.UNKNOWN
