"""Rules on trial: kept by a new login alone, and otherwise gone."""

from pathlib import Path

import pytest

from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.host import firewall_logins as logins
from tinykit_ops.host import firewall_rules as rules
from tinykit_ops.host.firewall_places import Places

OLD = "203.0.113.7 50000 192.0.2.1 22"
NEW = "203.0.113.7 50001 192.0.2.1 22"


class Host:
    """nft, systemd and SSH logins of a host, as a test wants them."""

    def __init__(self, folder):
        self.places = Places(
            rules=folder / "firewall.nft",
            candidate=folder / "firewall.new.nft",
            demanded=folder / "firewall.demanded",
            state=folder / "state",
            lock=folder / "lock",
        )
        self.places.state.mkdir()
        self.kernel = None  # what is loaded
        self.refuses = ""  # a text that nft does not take
        self.calls = []
        self.login = OLD
        self.peers = {logins.peer_of(OLD)}
        self.boot = "boot-1"
        self.ssh_ports = {22}

    def nft(self, words, text=None):
        if words[0] == "--stateless":
            return "by hand\n"
        path = words[words.index("--file") + 1]
        content = text if path == "-" else Path(path).read_text()
        if self.refuses and self.refuses in content:
            raise UnavailableError("nft does not take it")
        if "--check" not in words:
            self.kernel = None if content == rules._NO_TABLE else content
        return ""

    def try_(self, text, token="t1"):
        self.places.candidate.write_text(text)
        return rules.apply(token, 22, self.places)

    def log_in_anew(self):
        self.login = NEW
        self.peers.add(logins.peer_of(NEW))

    def confirm(self, token="t1"):
        rules.confirm(token, self.places)


@pytest.fixture
def host(tmp_path, monkeypatch):
    made = Host(tmp_path)
    monkeypatch.setattr(rules, "nft", made.nft)
    monkeypatch.setattr(rules, "systemctl", lambda *words: made.calls.append(words))
    monkeypatch.setattr(rules, "is_loaded", lambda: made.kernel is not None)
    monkeypatch.setattr(rules, "boot_id", lambda: made.boot)
    monkeypatch.setattr(logins, "own_connection", lambda: made.login)
    monkeypatch.setattr(logins, "established", lambda: set(made.peers))
    monkeypatch.setattr(logins, "ssh_ports", lambda: made.ssh_ports)
    return made


def test_new_rules_are_in_force_but_not_those_of_the_next_boot(host):
    assert host.try_("new") is True
    assert host.kernel == "new"
    assert not host.places.rules.exists()
    assert ("restart", "tinykit-ops-firewall-rollback.timer") in host.calls
    assert rules.pending(host.places) == [
        "new rules are to be applied and confirmed",
        "rules that were applied wait for a confirmation",
    ]


def test_a_new_login_keeps_them(host):
    host.try_("new")
    host.log_in_anew()
    host.confirm()
    assert host.places.rules.read_text() == "new"
    assert rules.pending(host.places) == []
    assert rules.outcome("t1", host.places) == "confirmed"
    assert host.calls[-1] == ("stop", "tinykit-ops-firewall-rollback.timer")
    assert host.places.rules.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        (OLD, "older than the rules"),
        ("", "no SSH login"),
        ("::ffff:203.0.113.7 50000 ::ffff:192.0.2.1 22", "older than the rules"),
        ("203.0.113.7 50009 192.0.2.1 22", "is no more"),
    ],
)
def test_what_is_no_new_login_proves_nothing(host, login, reason):
    host.try_("new")
    host.login = login
    with pytest.raises(rules.NotConfirmedError, match=reason):
        host.confirm()
    assert not host.places.rules.exists()


def test_a_confirmation_after_a_reboot_comes_too_late(host):
    host.try_("new")
    host.log_in_anew()
    host.boot = "boot-2"
    with pytest.raises(rules.NotConfirmedError, match="no such rules"):
        host.confirm()


def test_another_runs_token_confirms_nothing_and_a_persons_empty_one_does(host):
    host.try_("new")
    host.log_in_anew()
    with pytest.raises(rules.NotConfirmedError):
        host.confirm("t2")
    host.confirm("")
    assert host.places.rules.read_text() == "new"


def test_rules_that_nft_does_not_take_change_nothing(host):
    host.refuses = "bad"
    with pytest.raises(UnavailableError):
        host.try_("bad rules")
    assert (host.kernel, host.places.pending.exists()) == (None, False)


def test_rules_that_are_confirmed_are_not_applied_again(host):
    host.try_("new")
    host.log_in_anew()
    host.confirm()
    host.calls.clear()
    assert host.try_("new", "t2") is False
    assert host.calls == []


def test_the_state_before_is_what_comes_back(host):
    host.try_("first")
    assert host.places.previous.read_text() == rules._NO_TABLE
    host.log_in_anew()
    host.confirm()
    host.try_("second", "t2")
    assert host.places.previous.read_text() == "first"


def test_a_trial_that_another_run_left_is_no_state_to_go_back_to(host):
    host.try_("first")
    host.log_in_anew()
    host.confirm()
    host.try_("shuts everybody out", "t2")
    host.try_("third", "t3")
    assert host.places.previous.read_text() == "first"
    assert host.kernel == "third"
    assert rules.outcome("t2", host.places) == "gone"
    assert rules.outcome("t3", host.places) == "waiting"


def test_a_table_that_came_without_a_file_is_kept_as_it_is(host):
    host.kernel = "by hand"
    host.try_("new")
    assert host.places.previous.read_text().endswith("by hand\n")


def test_a_port_that_sshd_does_not_listen_on_is_refused(host):
    host.ssh_ports = {2222}
    with pytest.raises(UsageError, match="sshd listens on 2222"):
        host.try_("new")
    assert host.kernel is None


def test_without_an_ssh_server_nobody_can_be_shut_out(host):
    host.try_("new")
    assert rules.keep_unreachable("t1", host.places) is False
    host.ssh_ports = set()
    assert rules.keep_unreachable("t1", host.places) is True
    assert host.places.rules.read_text() == "new"


def test_from_the_first_confirmation_on_tinykit_demands_the_firewall(host):
    host.try_("new")
    assert not host.places.demanded.exists()
    host.log_in_anew()
    host.confirm()
    assert host.places.demanded.stat().st_mode & 0o777 == 0o644


def test_rules_that_an_older_version_confirmed_are_demanded_by_the_next_run(host):
    host.try_("new")
    host.log_in_anew()
    host.confirm()
    host.places.demanded.unlink()
    assert rules.pending(host.places) == ["tinykit's server does not demand the firewall yet"]
    assert host.try_("new", "t2") is False
    assert host.places.demanded.exists()
    assert rules.pending(host.places) == []


def test_nothing_to_apply_is_told(host):
    with pytest.raises(UnavailableError, match="no rules to apply"):
        rules.apply("t1", 22, host.places)
