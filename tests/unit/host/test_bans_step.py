"""Bans that must not be are lifted."""

import pytest

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.bans_step import BansStep


class Fail2ban:
    def __init__(self, **banned):
        self.banned = {name.replace("_", "-"): set(found) for name, found in banned.items()}
        self.refuses = False

    def __call__(self, words):
        if words[:1] == ["get"]:
            found = self.banned.get(words[1])
            return None if found is None else " ".join(sorted(found)) + "\n"
        if self.refuses:
            return None
        self.banned[words[1]].discard(words[3])
        return "1\n"


@pytest.fixture
def settings(make_settings):
    return make_settings(
        access={"allowlist": ["198.51.100.0/24", "2001:db8::/48"]},
        firewall={"ssh_from": ["203.0.113.7"]},
    )


def test_trusted_addresses_are_unbanned_and_others_stay(settings):
    server = Fail2ban(
        sshd=["203.0.113.7", "203.0.113.8"], tinykit_logins=["198.51.100.9", "2001:db8::5"]
    )
    step = BansStep(settings, server)
    assert step.pending() == [
        "unban 203.0.113.7 (sshd)",
        "unban 198.51.100.9 (tinykit-logins)",
        "unban 2001:db8::5 (tinykit-logins)",
    ]
    step.apply()
    assert step.pending() == []
    assert server.banned == {"sshd": {"203.0.113.8"}, "tinykit-logins": set()}


def test_ssh_from_everywhere_trusts_nobody(make_settings):
    step = BansStep(make_settings(), Fail2ban(sshd=["203.0.113.8", "2001:db8::1"]))
    assert step.pending() == []


def test_networks_and_names_that_a_person_banned_are_judged_too(settings):
    server = Fail2ban(
        sshd=["203.0.113.0/28", "198.18.0.0/15", "bad.example.com", "2001:db8:9::/48"]
    )
    assert BansStep(settings, server).pending() == ["unban 203.0.113.0/28 (sshd)"]


def test_a_jail_that_is_off_has_no_bans(settings):
    assert BansStep(settings, Fail2ban(sshd=[])).pending() == []


def test_a_refusal_says_what_to_type(settings):
    server = Fail2ban(sshd=["203.0.113.7"])
    server.refuses = True
    with pytest.raises(UnavailableError, match=r"did not lift the ban of 203\.0\.113\.7") as error:
        BansStep(settings, server).apply()
    assert "fail2ban-client set sshd unbanip 203.0.113.7" in str(error.value)
