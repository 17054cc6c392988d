"""tinykit's server never runs without what contains it: at boot, after a rollback, by hand."""

from __future__ import annotations

import re

import pytest
from firewall_inside import CLOSED, MARK, PORT, PUBLIC, own_addresses, plain, proxied, surroundings
from firewall_trials import PATIENT_SECONDS, Trials, kill
from tests_e2e_support import STATUS, Provisioner, curl, execute, until

from tinykit_ops import layout
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

LAB = "e2e-fb"
REFUSAL = "tinykit does not start: the firewall"
REFUSED = "ConnectionRefusedError"


@pytest.fixture(scope="module")
def trials(contract_app, tmp_path_factory):
    """A whole instance behind its firewall, in a lab of its own."""
    lab = Lab.up(LAB, releases=("13",), s3=False)
    try:
        trials = Trials(Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories")))
        run = trials.provisioner.deploy(trials.good)
        assert run.code == 0, run.text[-3000:]
        yield trials
    finally:
        lab.down()


def deploy(trials, *names, firewall=None):
    """Deploys that have to succeed; what the last of them changed."""
    for name in names:
        run = trials.provisioner.deploy(trials.inventory(firewall), deploy=name)
        assert run.code == 0, run.text[-3000:]
    return run.changed(trials.host.name)


def page(trials):
    """The status of a public page."""
    return execute(curl(trials.host, "/_tk/assets/placeholder.jpg", *STATUS)).out


def is_up(trials):
    """Whether tinykit's unit comes up in time, and serves."""
    return until(lambda: state(trials) == "active") and until(lambda: page(trials) == "200")


def state(trials):
    """systemd's word for tinykit's unit."""
    return trials.console(f"systemctl is-active {layout.TINYKIT_UNIT}").strip()


def assert_stays_down(trials):
    """tinykit does not start, and says why; a person can log in."""
    journal = f"journalctl -b -u {layout.TINYKIT_UNIT} -o cat --no-pager | tail -n 15"
    assert until(lambda: REFUSAL in trials.console(journal))
    # One that ran until now takes its time to end.
    assert until(lambda: trials.console(f"pgrep -u {layout.TINYKIT_USER}") == "")
    assert until(lambda: page(trials) == "502")
    assert state(trials) != "active"
    assert until(trials.is_open)


def connects(trials, address, port):
    """What becomes of a connection that tinykit's user opens on the host: `open` or a refusal."""
    script = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 60); print('open')\n"
        "except OSError as error: print(type(error).__name__)"
    )
    words = ["runuser", "-u", layout.TINYKIT_USER, "--", "python3", "-c", script]
    return trials.host.run([*words, address, str(port)]).stdout.strip()


def started(trials, unit):
    """When a unit was started in this boot, in microseconds."""
    return int(trials.console(f"systemctl show -p ActiveEnterTimestampMonotonic --value {unit}"))


def test_after_a_reboot_tinykit_starts_behind_the_firewall_and_is_contained(trials):
    trials.host.reboot()
    assert is_up(trials)
    assert started(trials, layout.FIREWALL_UNIT) < started(trials, layout.TINYKIT_UNIT)
    with surroundings(trials):
        assert MARK in proxied(trials, plain(PUBLIC)[0])
        inside = [*plain(CLOSED), *plain(own_addresses(trials), PORT)]
        assert [url for url in inside if MARK in proxied(trials, url)] == []
    # PocketBase's port, which its server cannot do without; not the edge, its own, or SSH.
    assert connects(trials, "127.0.0.1", layout.POCKETBASE_PORT) == "open"
    for port in (443, layout.TINYKIT_PORT, 22):
        assert connects(trials, "127.0.0.1", port) == REFUSED
    for address in (trials.host.address4, "169.254.169.254", "10.99.0.1"):
        assert connects(trials, address, 443) == REFUSED


def test_with_half_a_file_of_rules_tinykit_stays_down_and_one_run_repairs_all(trials):
    trials.console(f"sed -i '/chain tinykit/,$d' {layout.FIREWALL_RULES}")
    trials.host.reboot()
    assert not trials.is_guarded()
    assert_stays_down(trials)
    deploy(trials, "full.py")
    assert is_up(trials)
    assert trials.is_guarded()


def test_without_the_file_of_rules_tinykit_stays_down_until_the_firewall_is_back(trials):
    trials.console(f"rm {layout.FIREWALL_RULES}; systemctl restart {layout.FIREWALL_UNIT}")
    assert not trials.is_guarded()
    trials.console(f"systemctl restart {layout.TINYKIT_UNIT}")
    assert_stays_down(trials)
    deploy(trials, "firewall.py")
    assert is_up(trials)
    assert connects(trials, "169.254.169.254", 80) == REFUSED
    assert deploy(trials, "firewall.py") == []


def test_tinykit_that_runs_is_stopped_when_a_rollback_leaves_no_firewall(trials):
    def break_the_way_back(process):
        kill(process)
        trials.console(f"echo nonsense >{layout.FIREWALL_STATE}/previous.nft")
        trials.console(f"{layout.AGENT_COMMAND} host firewall-rollback")

    # Rules that this run cannot confirm, and time enough to break what would bring the others back.
    closed = re.sub(r"^.*@ssh[46] accept\n", "", trials.rules(), flags=re.MULTILINE)
    trials.try_rules(closed, break_the_way_back, seconds=PATIENT_SECONDS)
    assert not trials.is_guarded()
    assert_stays_down(trials)
    # The confirmed rules are there still; a tinykit that gave up comes back with them.
    assert until(lambda: state(trials) == "failed")
    trials.console(f"systemctl restart {layout.FIREWALL_UNIT}")
    assert is_up(trials)
    assert trials.is_guarded()


def test_a_reload_of_the_firewall_does_not_touch_tinykit(trials):
    before = started(trials, layout.TINYKIT_UNIT)
    for words in (
        f"reload {layout.FIREWALL_UNIT}",
        "restart nftables.service",
        "stop nftables.service; systemctl start nftables.service",  # it flushes every table
    ):
        # A start waits for what is under way, and by itself does nothing to a unit that is active.
        trials.console(f"systemctl {words}; systemctl start {layout.FIREWALL_UNIT}")
        assert trials.is_guarded()
    assert started(trials, layout.TINYKIT_UNIT) == before


def test_who_chose_no_firewall_is_asked_for_none(trials):
    trials.console(f"systemctl stop {layout.FIREWALL_UNIT}")
    assert page(trials) == "200"  # whoever stops it by hand knows what he does
    trials.console(f"systemctl restart {layout.TINYKIT_UNIT}")
    assert_stays_down(trials)
    off = {"enabled": False}
    deploy(trials, "app.py", firewall=off)  # it says so before the firewall is gone
    assert is_up(trials)
    deploy(trials, "firewall.py", firewall=off)
    trials.console(f"systemctl restart {layout.TINYKIT_UNIT}")
    assert is_up(trials)
    assert deploy(trials, "app.py", firewall=off) == []
    # Back again: tinykit's unit first, whose demand waits for a firewall that is confirmed.
    deploy(trials, "app.py", "firewall.py")
    assert is_up(trials)
    assert connects(trials, "169.254.169.254", 80) == REFUSED
