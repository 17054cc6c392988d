"""The firewall's rules, and the refusal to shut out whoever applies them."""

import re
import shutil
import subprocess
from ipaddress import ip_address, ip_network

import pytest

from tinykit_ops.deploy.firewall import (
    CLOSED4,
    CLOSED6,
    another_firewall,
    connection_limit,
    forgotten_ipv6,
    given_networks,
    lock_out,
    ruleset,
)
from tinykit_ops.deploy.templates import render
from tinykit_ops.settings.pyinfra_error import RunStoppedError


def elements(text, name):
    block = re.search(rf"set {name} \{{(.*?)\n\t\}}", text, re.DOTALL).group(1)
    found = re.search(r"elements = \{ (.*) \}", block)
    return found.group(1).split(", ") if found else []


def test_each_network_lands_in_the_set_of_its_family(make_settings):
    firewall = {"ssh_from": ["203.0.113.7", "2001:db8::/48"], "web_from": ["198.51.100.0/24"]}
    text = ruleset(make_settings(firewall={**firewall, "mode": "private"}))
    assert elements(text, "ssh4") == ["203.0.113.7/32"]
    assert elements(text, "ssh6") == ["2001:db8::/48"]
    assert elements(text, "web4") == ["198.51.100.0/24"]
    assert elements(text, "web6") == []


def test_what_no_rule_names_is_dropped_and_only_our_table_is_replaced(make_settings):
    text = ruleset(make_settings())
    assert "policy drop" in text
    assert "flush ruleset" not in text
    assert set(re.findall(r"table inet (\w+)", text)) == {"tinykit_ops"}


def test_ssh_on_another_port_is_let_through_there_alone(make_settings):
    text = ruleset(make_settings(firewall={"ssh_port": 2222}))
    assert "tcp dport 2222 ip saddr @ssh4 accept" in text
    assert "tcp dport 22 " not in text


@pytest.mark.parametrize(
    "firewall",
    [
        {},
        {"ssh_from": ["2001:db8::/48"], "mode": "private", "web_from": ["2001:db8::1"]},
        {"mode": "cdn", "cdn": {"networks": ["2001:db8::/48"]}},
        {"ssh_from": [f"10.{n // 256}.{n % 256}.0/24" for n in range(20_000)]},
        {"ssh_from": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"], "ssh_port": 65535},
    ],
)
def test_nft_takes_the_rules(make_settings, firewall):
    metrics = {"enabled": True, "scrapers": ["203.0.113.9", "2001:db8::/64"]}
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin")
    assert nft, "nftables is one of the packages that scripts/setup installs"
    # The user is made on the host, before its firewall.
    settings = make_settings(firewall=firewall, metrics=metrics)
    text = ruleset(settings).replace('"tinykit"', '"nobody"')
    words = ["unshare", "--net", nft, "--check", "--file", "-"]
    done = subprocess.run(words, input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ("203.0.113.7 51000 192.0.2.1 22", None),
        ("::ffff:203.0.113.7 51000 ::ffff:192.0.2.1 22", None),
        ("fe80::1%eth0 51000 fe80::2%eth0 22", "would shut out fe80::1"),
        ("198.51.100.9 51000 192.0.2.1 22", "would shut out 198.51.100.9"),
        ("203.0.113.7 51000 192.0.2.1 2222", "SSH listens on 2222"),
        ("", None),  # on the host itself
    ],
)
def test_a_run_that_would_shut_itself_out_is_refused(make_settings, connection, message):
    problem = lock_out(make_settings(firewall={"ssh_from": ["203.0.113.0/24"]}), connection)
    assert (problem is None) if message is None else (message in str(problem))


def test_a_firewall_that_is_off_shuts_nobody_out(make_settings):
    firewall = {"enabled": False, "ssh_from": ["203.0.113.7"]}
    assert lock_out(make_settings(firewall=firewall), "198.51.100.9 1 192.0.2.1 22") is None


def web_chain(text):
    return re.search(r"chain web \{(.*?)\n\t\}", text, re.DOTALL).group(1)


def test_the_public_web_is_everybodys_and_the_others_are_who_is_listed(make_settings):
    public = web_chain(ruleset(make_settings()))
    assert public.strip().endswith("accept") and "saddr @" not in public
    private = {"mode": "private", "web_from": ["203.0.113.7"]}
    closed = web_chain(ruleset(make_settings(firewall=private)))
    assert "ip saddr @web4 accept" in closed and closed.strip().endswith("drop")
    cdn = {"mode": "cdn", "cdn": {"networks": ["203.0.113.0/24"]}}
    assert "ip6 saddr @cdn6 accept" in web_chain(ruleset(make_settings(firewall=cdn)))


def test_scrapers_reach_the_exporters_and_nobody_else_does(make_settings):
    scrapers = ["203.0.113.9", "2001:db8::9"]
    text = ruleset(make_settings(metrics={"enabled": True, "scrapers": scrapers}))
    assert elements(text, "metrics4") == ["203.0.113.9/32"]
    assert elements(text, "metrics6") == ["2001:db8::9/128"]
    assert "tcp dport { 9100, 9113 } ip saddr @metrics4 accept" in text
    assert "tcp dport { 9100, 9113 } ip6 saddr @metrics6 accept" in text
    assert ruleset(make_settings(metrics={"enabled": True})) == ruleset(make_settings())


def test_a_private_web_without_a_list_is_the_allowlists(make_settings):
    settings = make_settings(firewall={"mode": "private"}, access={"allowlist": ["198.51.100.7"]})
    assert elements(ruleset(settings), "web4") == ["198.51.100.7/32"]


def test_connections_are_counted_for_each_address_but_not_for_a_cdn(make_settings):
    assert connection_limit(make_settings()) == 200
    assert connection_limit(make_settings(edge={"limits": {"streams": 1}})) == 100
    assert "ct count over 200" in ruleset(make_settings())
    cdn = {"mode": "cdn", "cdn": {"networks": ["203.0.113.0/24"]}}
    assert "ct count over" not in ruleset(make_settings(firewall=cdn))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.1", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.2", "169.254.169.254"),
        *("172.16.0.1", "172.31.255.1", "192.168.0.1", "192.0.0.192", "198.19.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1", "203.0.113.1"),
    ],
)
def test_an_address_that_is_not_the_internets_is_closed_to_tinykit(address):
    assert any(ip_address(address) in ip_network(closed) for closed in CLOSED4)


@pytest.mark.parametrize(
    "address",
    [
        *("::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fe80::1", "fec0::1"),
        *("fd00:ec2::254", "ff02::1", "2002:7f00:1::1", "2001::1", "2001:db8::1", "3fff::1"),
        *("100::1", "5f00::1", "::7f00:1", "4000::1"),
    ],
)
def test_an_ipv6_address_that_is_not_the_internets_is_closed_to_tinykit(address):
    parsed = ip_address(address)
    closed = any(parsed in ip_network(network) for network in CLOSED6)
    assert closed or parsed not in ip_network("2000::/3")


def test_tinykits_other_ways_out_are_pocketbase_and_the_resolvers(make_settings):
    chains = re.search(
        r"chain tinykit \{(.*?)\n\t\}\s+chain internet \{(.*?)\n\t\}",
        ruleset(make_settings()),
        re.DOTALL,
    )
    own, internet = ([line.strip() for line in chain.splitlines()] for chain in chains.groups())
    assert own[-1] == "goto internet"
    lines = [*own[:-1], *internet]
    accepted = [line for line in lines if line.endswith("accept")]
    assert "ip daddr 127.0.0.1 tcp dport 8091 accept" in accepted
    assert accepted.index("tcp dport { 80, 443 } accept") == len(accepted) - 1
    # Its own connections are never accepted because they are established.
    assert "ct direction reply ct state established,related accept" in accepted
    refusals = lines.index("fib daddr type != unicast goto refused")
    assert refusals < lines.index("tcp dport { 80, 443 } accept")


def test_another_firewall_is_named_with_the_way_to_end_it(make_settings):
    problem = another_firewall(make_settings(), {"other": "ufw"})
    assert "ufw is active" in str(problem) and "ufw disable" in str(problem)
    assert another_firewall(make_settings(), {"ipv6": "2001:db8::1/64"}) is None
    off = make_settings(firewall={"enabled": False})
    assert another_firewall(off, {"other": "firewalld"}) is None


def test_a_host_with_ipv6_that_nobody_may_use_is_told(make_settings):
    only4 = make_settings(firewall={"ssh_from": ["203.0.113.7"]})
    assert "2001:db8::1/64" in forgotten_ipv6(only4, {"ipv6": "2001:db8::1/64"})
    assert forgotten_ipv6(only4, {"ipv6": ""}) == ""
    assert forgotten_ipv6(make_settings(), {"ipv6": "2001:db8::1/64"}) == ""


def test_lists_of_a_cdn_are_read_from_files_of_the_controller(make_settings, tmp_path):
    path = tmp_path / "cdn.txt"
    path.write_text("# of the CDN\n203.0.113.0/24\n2001:db8::/48\n")
    settings = make_settings(firewall={"mode": "cdn", "cdn": {"source": str(path)}})
    assert given_networks(settings) == ["203.0.113.0/24", "2001:db8::/48"]
    path.write_text("oops\n")
    with pytest.raises(RunStoppedError, match="is no network"):
        given_networks(settings)


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        ("failed", ["reset-failed tinykit.service", "start --no-block tinykit.service"]),
        # systemd tries again, and the next try may be the one too many.
        ("activating", ["reset-failed tinykit.service", "start --no-block tinykit.service"]),
        ("active", []),
        ("inactive", []),  # somebody stopped it
        ("deactivating", []),
    ],
)
def test_a_firewall_that_is_back_wakes_who_waits_for_it_and_nobody_else(tmp_path, state, calls):
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\nif [ "$1" = show ]; then echo {state}; else echo "$@" >>{tmp_path}/calls; fi\n'
    )
    systemctl.chmod(0o755)
    unit = render("systemd/firewall.service.j2")
    wakes = re.findall(r"Exec(?:StartPost|Reload)=-/bin/sh -c '(.*)'\n", unit)
    assert len(wakes) == 2
    for line in wakes:
        (tmp_path / "calls").write_text("")
        path = f"{tmp_path}:/usr/bin:/bin"
        subprocess.run(["sh", "-c", line.replace("$$", "$")], env={"PATH": path}, check=True)
        assert (tmp_path / "calls").read_text().splitlines() == calls
