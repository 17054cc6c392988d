"""Caddy's certificates on demand: only for names that the hook knows."""

import ssl

import pytest
from edge_drivers import CaddyDriver

from tinykit_ops import layout


class OnDemand(CaddyDriver):
    """Caddy with an authority of its own in place of a public one, which no test can reach."""

    def tls(self, folder, names):
        return {"mode": "acme", "on_demand": True}

    def moved(self, text, place):
        # Caddy would put its authority among those that this machine trusts.
        internal = text.replace("{\n\tadmin", "{\n\tskip_install_trust\n\tadmin", 1)
        assert "skip_install_trust" in internal
        return super().moved(internal.replace("\ttls {", "\ttls internal {"), place)


@pytest.fixture
def driver():
    return OnDemand()


def test_a_published_projects_name_gets_a_certificate_and_its_app(edge):
    running = edge()
    running.pocketbase.published.add("shop.example.net")
    answer = running.ask("/", host="shop.example.net")
    assert (answer.status, answer.body) == (200, "tinykit")
    assert running.tinykit.asked[-1].headers["host"] == "shop.example.net"


@pytest.mark.parametrize("name", ["evil.example", None, "xn--80ak6aa92e.com"])
def test_any_other_name_gets_none(edge, name):
    running = edge()
    running.pocketbase.published.add("shop.example.net")
    with pytest.raises(ssl.SSLError):
        running.connect(name)
    asked = [question.path for question in running.pocketbase.questions]
    assert all(path.startswith(f"{layout.TLS_ASK_ROUTE}?domain=") for path in asked)


def test_plain_http_of_a_published_name_leads_to_https_and_of_others_nowhere(edge):
    running = edge()
    running.pocketbase.published.add("shop.example.net")
    answer = running.ask_plainly("/x?y=1", host="shop.example.net")
    assert (answer.status, answer.headers["location"]) == (308, "https://shop.example.net/x?y=1")
    with pytest.raises(ConnectionError):
        running.ask_plainly("/", host="evil.example")


def test_such_a_name_has_the_published_routes_only_when_the_builder_has_its_own(edge):
    running = edge(builder_domain="build.example.com")
    running.pocketbase.published.add("shop.example.net")
    for path in ("/tinykit", "/login", "/_pb/_/", "/api/projects"):
        assert running.ask(path, host="shop.example.net").status == 404
    assert running.ask("/_tk/data/x/y", host="shop.example.net").status == 200
