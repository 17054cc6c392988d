"""What fail2ban is told: its filter knows PocketBase's lines alone, its jails whom to leave."""

import configparser
import re

import pytest

from tinykit_ops.deploy.bans import jails
from tinykit_ops.deploy.templates import render


@pytest.fixture
def pattern():
    """The filter's expression, with fail2ban's own placeholders as it fills them for a journal."""
    (line,) = [
        line.removeprefix("failregex = ")
        for line in render("fail2ban/filter.conf.j2").splitlines()
        if line.startswith("failregex")
    ]
    line = line.replace("%(__prefix_line)s", r"\s*(?:\S+\s+)?(?:pocketbase(?:\[\d+\]):?\s+)?")
    return re.compile(line.replace("<ADDR>", r"(?P<address>[0-9a-f.:]+)"))


def jails_of(settings):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(jails(settings))
    return parser


@pytest.mark.parametrize("what", ["users", "_superusers", "basic"])
@pytest.mark.parametrize("address", ["203.0.113.7", "2001:0db8:0000:0000:0000:0000:0000:0002"])
def test_refused_logins_are_counted(pattern, what, address):
    line = (
        "tk-1 pocketbase[12]: 2026/11/23 23:22:45 "
        f"tinykit-ops: login refused from {address} ({what})"
    )
    found = pattern.search(line)
    assert found
    assert found["address"] == address


@pytest.mark.parametrize(
    "line",
    [
        "tk-1 pocketbase[12]: GET /tinykit-ops: login refused from 203.0.113.7 (users)",
        "tk-1 pocketbase[12]: 2026/11/23 23:22:45 x tinykit-ops: login refused from ::1 (users)",
        "tk-1 pocketbase[12]: tinykit-ops: login refused from 203.0.113.7 (users) and more",
        "tk-1 pocketbase[12]: tinykit-ops: login refused from 203.0.113.7 (others)",
    ],
)
def test_what_only_looks_like_one_is_not(pattern, line):
    assert not pattern.search(line)


def test_nobody_who_is_trusted_is_ever_banned(make_settings):
    settings = make_settings(
        access={"allowlist": ["198.51.100.7", "2001:db8::/48"]},
        firewall={"ssh_from": ["203.0.113.0/24"]},
    )
    ignored = jails_of(settings)["DEFAULT"]["ignoreip"].split()
    assert ignored == [
        *("127.0.0.0/8", "::1/128"),
        *("198.51.100.7/32", "2001:db8::/48", "203.0.113.0/24"),
    ]


def test_ssh_from_everywhere_is_no_trust(make_settings):
    assert jails_of(make_settings())["DEFAULT"]["ignoreip"].split() == ["127.0.0.0/8", "::1/128"]


def test_numbers_and_ports_are_those_of_the_settings(make_settings):
    settings = make_settings(bans={"attempts": 4, "minutes": 90}, firewall={"ssh_port": 2222})
    parsed = jails_of(settings)
    assert (parsed["DEFAULT"]["maxretry"], parsed["DEFAULT"]["bantime"]) == ("4", "90m")
    assert parsed["sshd"]["port"] == "2222"


def test_behind_a_cdn_only_ssh_is_banned(make_settings):
    firewall = {"mode": "cdn", "cdn": {"networks": ["192.0.2.0/24"]}}
    parsed = jails_of(make_settings(firewall=firewall))
    assert parsed["tinykit-logins"]["enabled"] == "false"
    assert parsed["sshd"]["enabled"] == "true"
    assert jails_of(make_settings())["tinykit-logins"]["enabled"] == "true"
