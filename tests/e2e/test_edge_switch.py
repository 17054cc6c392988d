"""A sample of `scripts/soak switch`: another proxy, gate or firewall on a live instance, and no
visitor of its published page is turned away but while the ports change hands.

And but for what Caddy does to connections that are being opened as it reloads, see UNANSWERED.
"""

from __future__ import annotations

import pytest
from edge_switches import Site, State
from edge_traffic import FINE, Traffic, answers, publish

from tinykit_ops.lab.inventory import ADMIN_EMAIL

pytestmark = pytest.mark.lab

RATES = {"own": 20, "pool": 20}
#: With both proxies: gates, modes of the firewall, a reload of each; to the other proxy and back.
STATES = [
    State("nginx", "basic", "private"),
    State("caddy", "allowlist", "cdn"),
    State("caddy", "basic", "private", apart=True),
    State("caddy", "account", "public"),
]


@pytest.fixture(scope="module")
def site(switched_site) -> Site:
    """An instance with a published page, as it is, or behind nginx."""
    if switched_site.state is None:
        switched_site.bring(State("nginx"))
        publish(switched_site.host, ADMIN_EMAIL)
    return switched_site


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_switch_costs_no_visitor_his_page_and_a_second_run_changes_nothing(site, state):
    changes_proxy = site.state.kind != state.kind
    with Traffic(site.lab, RATES) as traffic:
        assert traffic.wait_for(("own", True), ("pool", True))
        switch = site.switch(traffic, state)
    print(switch)
    assert switch.faults == ""
    assert answers(switch.outside) == {}
    assert answers(switch.visits)[FINE] > 100
    assert (switch.seconds is not None) == changes_proxy
    assert switch.second == []


def test_a_visitor_who_is_turned_away_is_seen(site):
    """What the switches are judged by sees an edge that is away for a moment."""
    with Traffic(site.lab, {"own": 50, "pool": 50}) as traffic:
        assert traffic.wait_for(("own", True), ("pool", True))
        site.host.run(["systemctl", "stop", "caddy"])
        assert traffic.wait_for(("own", False), ("pool", False))
        site.host.run(["systemctl", "start", "caddy"])
        assert traffic.wait_for(("own", True), ("pool", True))
