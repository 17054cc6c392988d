"""What the firewall has to be told by the host: found out, kept, and never lost to a bad answer."""

import json
import subprocess
from ipaddress import ip_network

import pytest

from tinykit_ops.deploy.firewall import ruleset
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import firewall_sets
from tinykit_ops.host.firewall_known import read_known, resolvers
from tinykit_ops.host.firewall_near import near_in
from tinykit_ops.host.firewall_places import NFT, Places
from tinykit_ops.host.firewall_sets import FirewallSets
from tinykit_ops.host.firewall_wants import as_text, read_wants, wants_of

LIST = "https://cdn.example.com/ips"
TEN = "".join(f"203.0.{n}.0/24\n" for n in range(0, 20, 2))


class World:
    """A host whose network answers as a test says."""

    def __init__(self, folder, wants):
        self.folder = folder
        self.answers = {}
        self.addresses = {}
        self.reloads = []
        self.near = []
        self.loaded = []
        state = folder / "state"
        state.mkdir()
        resolv_conf = folder / "resolv.conf"
        resolv_conf.write_text("nameserver 192.0.2.53\n")
        self.sets = FirewallSets(
            wants,
            places=Places(state=state, lock=folder / "lock"),
            networks_file=folder / "cdn-networks",
            resolv_conf=resolv_conf,
            fetch=self.fetch,
            resolve=lambda host, port: self.addresses.get(host, []),
            reload=self.reloads.append,
            near=lambda: [ip_network(each) for each in self.near],
        )

    def fetch(self, address):
        answer = self.answers[address]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def script(self):
        return self.sets.places.sets.read_text()

    @property
    def networks(self):
        return (self.folder / "cdn-networks").read_text().split()


@pytest.fixture
def world(tmp_path, make_settings, monkeypatch):
    def make(**settings):
        made = World(tmp_path, wants_of(make_settings(**settings)))
        monkeypatch.setattr(firewall_sets, "_live_sets_fit", lambda text: True)
        monkeypatch.setattr(firewall_sets, "nft", lambda words, text: made.loaded.append(text))
        return made

    return make


CDN = {"firewall": {"mode": "cdn", "cdn": {"source": LIST, "networks": ["198.51.100.0/24"]}}}


def test_a_host_without_extras_knows_its_resolvers_and_has_nothing_more_to_do(world):
    host = world()
    assert host.sets.pending() == ["the firewall's sets"]
    host.sets.apply()
    assert "add element inet tinykit_ops resolver4 { 192.0.2.53 }" in host.script
    assert host.loaded == [host.script]
    assert host.sets.pending() == []
    assert host.reloads == []


def test_changed_resolvers_are_taken_over(world):
    host = world()
    host.sets.apply()
    host.sets.resolv_conf.write_text("nameserver 127.0.0.53\nnameserver fe80::1%eth0\n")
    assert host.sets.pending() == ["the firewall's sets"]
    host.sets.apply()
    assert "resolver4 { 127.0.0.53 }" in host.script
    assert "resolver6 { fe80::1 }" in host.script


def test_public_neighbours_are_taken_over_and_forgotten(world):
    host = world()
    host.near = ["8.8.4.0/24", "2a00:1:2:3::/64"]
    host.sets.apply()
    assert "near4 { 8.8.4.0/24 }" in host.script
    assert "near6 { 2a00:1:2:3::/64 }" in host.script
    host.near = []
    host.sets.refresh()
    assert "2a00" not in host.script


@pytest.mark.parametrize("known", [True, False])
def test_the_sets_load_with_rules_that_know_neighbours_and_with_older_ones(
    world, make_settings, known
):
    host = world()
    host.near = ["8.8.4.0/24", "2a00:1:2:3::/64"]
    host.sets.apply()
    # The user is made on the host, before its firewall.
    rules = ruleset(make_settings()).replace('"tinykit"', '"nobody"')
    if not known:
        rules = "".join(line for line in rules.splitlines(True) if "near" not in line)
    words = ["unshare", "--net", NFT, "--check", "--file", "-"]
    script = rules + host.script
    done = subprocess.run(words, input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_neighbours_are_public_networks_without_a_router():
    routes = [
        {"dst": "default", "gateway": "8.8.4.1", "dev": "eth0"},
        {"dst": "8.8.4.0/24", "dev": "eth0", "scope": "link"},
        {"dst": "10.0.0.0/24", "dev": "eth0", "scope": "link"},
        {"dst": "8.8.5.0/24", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth0"},
        {"dst": "9.9.0.0/16", "nexthops": [{"gateway": "8.8.4.1"}]},
        {"dst": "8.0.0.0/8", "dev": "tun0"},
        {"dst": "2a00:1:2:3::/64", "dev": "eth0"},
        {"dst": "2000::/3", "dev": "he-ipv6"},
        {"dst": "2a00:1:2:3::5", "dev": "lo"},
        {"dst": "fe80::/64", "dev": "eth0"},
        {"type": "unreachable", "dst": "2a00:9::/48", "dev": "lo"},
    ]
    found = [str(network) for network in near_in(json.dumps(routes))]
    assert found == ["8.8.4.0/24", "2a00:1:2:3::/64"]
    assert near_in("") == []


def test_a_file_without_resolvers_means_the_one_that_glibc_asks(tmp_path):
    assert resolvers(tmp_path / "none") == ["127.0.0.1"]


def test_the_models_address_is_opened_with_its_port_alone(world):
    host = world(llm={"provider": "custom", "base_url": "http://ollama.lan:11434/v1"})
    host.addresses["ollama.lan"] = ["10.0.0.5", "fd00::5", "::ffff:10.0.0.6"]
    assert host.sets.pending() == ["addresses of ollama.lan:11434"]
    host.sets.apply()
    assert "llm4 { 10.0.0.5 . 11434, 10.0.0.6 . 11434 }" in host.script
    assert "llm6 { fd00::5 . 11434 }" in host.script
    assert host.sets.pending() == []


def test_a_model_whose_name_has_no_address_stops_no_deploy_and_is_looked_up_later(world):
    host = world(llm={"provider": "custom", "base_url": "https://llm.example.com/v1"})
    host.sets.apply()
    assert host.sets.pending() == []
    host.addresses["llm.example.com"] = ["203.0.113.9"]
    host.sets.refresh()
    assert "llm4 { 203.0.113.9 . 443 }" in host.script
    host.addresses.clear()
    host.sets.refresh()
    assert "203.0.113.9" in host.script


def test_a_cdns_networks_go_to_the_firewall_and_to_the_edge(world):
    host = world(**CDN)
    host.answers[LIST] = TEN
    assert host.sets.pending() == [f"networks of {LIST}"]
    host.sets.apply()
    assert "198.51.100.0/24" in host.networks and "203.0.2.0/24" in host.networks
    assert "cdn4 { 198.51.100.0/24, 203.0.0.0/24, 203.0.2.0/24" in host.script
    assert host.reloads == ["caddy.service"]
    assert host.sets.pending() == []


def test_a_first_list_that_cannot_be_had_stops_the_deploy(world):
    host = world(**CDN)
    host.answers[LIST] = UnavailableError("no answer")
    with pytest.raises(UnavailableError):
        host.sets.apply()
    assert not (host.folder / "cdn-networks").exists()


@pytest.mark.parametrize(
    "answer",
    ["", "# none\n", "<html>", "0.0.0.0/0\n", "203.0.0.0/24\n", UnavailableError("no answer")],
)
def test_a_list_that_is_empty_broken_or_shrunk_keeps_the_one_before(world, answer):
    host = world(**CDN)
    host.answers[LIST] = TEN
    host.sets.apply()
    before, script = host.networks, host.script
    host.answers[LIST] = answer
    (problem,) = host.sets.refresh()
    assert (host.networks, host.script) == (before, script)
    assert host.reloads == ["caddy.service"]
    note = json.loads(host.sets.places.status.read_text())
    assert note["ok"] is False and note["problems"] == [str(problem)]
    assert note["networks"] == {LIST: 10}


def test_a_new_list_is_swapped_in_and_the_edge_reloads(world):
    host = world(**CDN)
    host.answers[LIST] = TEN
    host.sets.apply()
    host.answers[LIST] = TEN + "192.0.2.0/24\n"
    assert host.sets.refresh() == []
    assert "192.0.2.0/24" in host.networks
    assert host.reloads == ["caddy.service"] * 2
    assert json.loads(host.sets.places.status.read_text())["ok"] is True


def test_an_edge_that_does_not_reload_is_told_again_next_time(world):
    host = world(**CDN)
    host.answers[LIST] = TEN

    def fails(unit):
        raise UnavailableError("no")

    host.sets.reload = fails
    with pytest.raises(UnavailableError):
        host.sets.apply()
    assert host.sets.pending() == ["the CDN's networks for the edge"]


def test_without_a_cdn_nobody_is_believed_any_more(world, make_settings):
    host = world(**CDN)
    host.answers[LIST] = TEN
    host.sets.apply()
    host.sets.wants = wants_of(make_settings())
    host.sets.apply()
    assert not (host.folder / "cdn-networks").exists()
    assert "203.0" not in host.script
    assert read_known(host.sets.places.known).cdn == {}
    assert host.sets.pending() == []


def test_what_the_deploy_said_is_read_back(tmp_path, make_settings):
    wants = wants_of(make_settings(**CDN), ["192.0.2.0/24"])
    path = tmp_path / "firewall.json"
    path.write_text(as_text(wants))
    assert read_wants(path) == wants
    assert wants.networks == ("192.0.2.0/24", "198.51.100.0/24")


@pytest.mark.parametrize(("runs", "told"), [(True, 1), (False, 0)])
def test_a_proxy_that_takes_over_later_in_the_run_is_not_told_before_it_is_there(
    monkeypatch, runs, told
):
    calls = []
    monkeypatch.setattr(firewall_sets, "is_active", lambda unit: runs)
    monkeypatch.setattr(firewall_sets, "systemctl", lambda *words: calls.append(words))
    firewall_sets._reload("caddy.service")
    assert calls == [("try-reload-or-restart", "caddy.service")] * told
