"""The firewall's rules, and the refusal to shut out whoever applies them."""

import re
import shutil
import subprocess

import pytest

from tinykit_ops.deploy.firewall import lock_out, ruleset


def elements(text, name):
    block = re.search(rf"set {name} \{{(.*?)\n\t\}}", text, re.DOTALL).group(1)
    found = re.search(r"elements = \{ (.*) \}", block)
    return found.group(1).split(", ") if found else []


def test_each_network_lands_in_the_set_of_its_family(make_settings):
    firewall = {"ssh_from": ["203.0.113.7", "2001:db8::/48"], "web_from": ["198.51.100.0/24"]}
    text = ruleset(make_settings(firewall=firewall))
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
        {"ssh_from": ["2001:db8::/48"], "web_from": ["2001:db8::1"]},
        {"ssh_from": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"], "ssh_port": 65535},
    ],
)
def test_nft_takes_the_rules(make_settings, firewall):
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin")
    assert nft, "nftables is one of the packages that scripts/setup installs"
    text = ruleset(make_settings(firewall=firewall))
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
