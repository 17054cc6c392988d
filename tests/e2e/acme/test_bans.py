"""Who guesses passwords is shut out; who is on the allowlist never is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
from tests_e2e_support import STATUS, curl, execute, until

pytestmark = pytest.mark.lab

ATTEMPTS = 5
LOGIN = "/_pb/api/collections/users/auth-with-password"
GUESS = (
    *("--header", "Content-Type: application/json"),
    *("--data", json.dumps({"identity": "admin@lab.test", "password": "not-the-password"})),
    *STATUS,
)
REFUSED = 7  # curl: connection refused
SLANDERED = "198.51.100.9"
#: Anybody on the host may write to the journal, by a program of any name.
LIES = (
    "cp /usr/bin/logger /tmp/sshd && cp /usr/bin/logger /tmp/sshd-session && "
    f"for n in $(seq {2 * ATTEMPTS}); do for name in sshd sshd-session; do runuser -u tinykit -- "
    f'/tmp/$name -t sshd "Invalid user nobody$n from {SLANDERED} port 4$n"; done; done'
)


def deploy(instance):
    return instance.deploy("caddy", [instance.host.domain], mode="internal")


@pytest.fixture(scope="module")
def site(instance):
    """The host behind Caddy, once more; certificates do not matter here."""
    run = deploy(instance)
    assert run.code == 0, run.text
    return instance


def status(site, jail: str) -> str:
    # It refuses to answer while it reloads.
    return site.host.ssh(["fail2ban-client", "status", jail], check=False).stdout


def shut(site, jail: str) -> str:
    """What the kernel refuses for a jail: fail2ban lists a ban before it acts on it."""
    words = ["nft", "list", "set", "inet", "f2b-table", f"addr-set-{jail}"]
    return site.host.ssh(words, check=False).stdout


def wait_for_ban(site, jail: str, address: str, guess: Callable[[], object] = lambda: None) -> None:
    """Until the kernel shuts an address out.

    Args:
        guess: one more, since fail2ban does not count every line of the journal.
    """

    def is_banned():
        if address in status(site, jail) and address in shut(site, jail):
            return True
        guess()
        return False

    assert until(is_banned, pause=2), status(site, jail) + shut(site, jail)


def outside(site, *words: str) -> subprocess.CompletedProcess[str]:
    return site.lab.outside.run([*words])


def is_refused(site) -> bool:
    """Whether the outside client gets no connection to the site.

    Rules are loaded in steps: a reload that is still under way may let one more through.
    """
    return outside(site, *curl(site.host, "/", *STATUS)).returncode == REFUSED


def test_a_stranger_who_guesses_is_shut_out_and_an_address_of_the_allowlist_is_not(site):
    here = [execute(curl(site.host, LOGIN, *GUESS)).out for _ in range(ATTEMPTS + 3)]
    assert set(here) == {"400"}
    guess = curl(site.host, LOGIN, *GUESS)
    for _ in range(ATTEMPTS):
        assert outside(site, *guess).stdout == "400"
    address = site.lab.outside.address4
    wait_for_ban(site, "tinykit-logins", address, lambda: outside(site, *guess))
    assert until(lambda: is_refused(site))
    assert execute(curl(site.host, "/_tk/assets/placeholder.jpg", *STATUS)).out == "200"


def test_a_ban_lives_through_reloads_and_restarts_of_both_firewalls(site):
    for verb, unit in (
        ("reload-or-restart", "tinykit-ops-firewall"),
        ("restart", "nftables"),
        ("reload", "nftables"),
    ):
        site.host.ssh(["systemctl", verb, unit])
        wait_for_ban(site, "tinykit-logins", site.lab.outside.address4)
        assert until(lambda: is_refused(site)), (verb, unit)


def test_an_unban_opens_the_door(site):
    words = ["fail2ban-client", "unban", site.lab.outside.address4]
    # It may still be at the end of a reload, and refuses to answer then.
    assert until(lambda: site.host.ssh(words, check=False).returncode == 0)
    ask = curl(site.host, "/_tk/assets/placeholder.jpg", *STATUS)
    assert until(lambda: outside(site, *ask).stdout == "200")


def test_a_deploy_lifts_the_ban_of_an_address_that_is_trusted_now(site):
    trusted = str(site.lab.networks.controller4)
    ban = ["fail2ban-client", "set", "tinykit-logins", "banip", trusted]
    assert until(lambda: site.host.ssh(ban, check=False).returncode == 0)
    wait_for_ban(site, "tinykit-logins", trusted)
    changed = deploy(site).changed(site.host.name)
    assert any("Lift bans of addresses that are trusted now" in name for name in changed)
    assert trusted not in until(lambda: status(site, "tinykit-logins")).split()


def test_who_guesses_at_ssh_is_shut_out_there(site):
    options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
    options += ["PubkeyAuthentication=no", "ConnectTimeout=30"]
    # A ban also cuts a connection that is open; ssh itself would wait for it for minutes.
    words = ["timeout", "40", "ssh", *(word for option in options for word in ("-o", option))]
    site.host.ssh([LIES])

    def guess(number: int = ATTEMPTS) -> None:
        outside(site, *words, f"nobody{number}@{site.host.address4}", "true")

    for number in range(ATTEMPTS):
        guess(number)
    wait_for_ban(site, "sshd", site.lab.outside.address4, guess)
    answer = outside(site, *words, f"root@{site.host.address4}", "true")
    assert "Connection refused" in answer.stderr
    assert SLANDERED not in status(site, "sshd")
    site.host.ssh(["true"])  # from here, as ever
