"""Trying firewall rules: confirmed over a connection of its own, and taken back when that fails."""

from types import SimpleNamespace
from typing import ClassVar

import pytest
from pyinfra.api.exceptions import ConnectError
from pyinfra.connectors.ssh import SSHConnector

from tinykit_ops.ops import firewall
from tinykit_ops.ops.step_states import StepState


class Connection(SSHConnector):
    """A way to the host that notes what is asked over it."""

    made: ClassVar = []
    fails = None
    answers: ClassVar = {}

    def __init__(self, state, host):
        self.state, self.host, self.asked = state, host, []
        self.client = SimpleNamespace(close=lambda: self.asked.append("closed"))
        type(self).made.append(self)

    def connect(self):
        if self.fails:
            raise self.fails

    def run_shell_command(self, command, **arguments):
        words = command.get_raw_value().split()[2:]
        self.asked.append(words[0])
        self.arguments = arguments
        ok, said = self.answers.get(words[0], (True, "on trial"))
        return ok, [SimpleNamespace(line=line) for line in said.splitlines()]


@pytest.fixture
def run(monkeypatch):
    """run(answers, fails) → (result, what was asked over the old connection, over new ones)."""
    monkeypatch.setattr(firewall.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(firewall, "TRY_SECONDS", 0)

    def run(answers=None, fails=None):
        monkeypatch.setattr(Connection, "made", [])
        monkeypatch.setattr(Connection, "fails", fails)
        monkeypatch.setattr(Connection, "answers", answers or {})
        asked_for = SimpleNamespace(global_arguments={"_sudo": True, "name": "x"})
        state = SimpleNamespace(get_op_data_for_host=lambda host, op: asked_for)
        host = SimpleNamespace(
            state=state, print_prefix="", executing_op_hash="op", nested_executing_op_hash=None
        )
        host.connector = old = Connection(state, host)
        result = firewall.apply_and_confirm(state, host, 60)
        return result, old, Connection.made[1:]

    return run


def test_rules_are_confirmed_over_a_new_connection_with_the_same_rights(run):
    result, old, new = run()
    assert result is True
    assert old.asked == ["firewall-apply"]
    assert [connection.asked for connection in new] == [["firewall-confirm", "closed"]]
    assert new[0].arguments["_sudo"] is True
    assert new[0].arguments["_timeout"] > 0


def test_a_login_that_fails_takes_the_rules_back_and_says_why(run, caplog):
    result, old, _ = run(fails=ConnectError("no route"))
    assert result is False
    assert old.asked == ["firewall-apply", "firewall-rollback"]
    assert "a new login failed: no route" in caplog.text


def test_a_confirmation_that_the_host_refuses_takes_the_rules_back(run, caplog):
    result, old, _ = run({"firewall-confirm": (False, "older than the rules")})
    assert result is False
    assert old.asked[-1] == "firewall-rollback"
    assert "older than the rules" in caplog.text


def test_rules_that_the_host_does_not_take_are_not_confirmed(run, caplog):
    result, old, new = run({"firewall-apply": (False, "error: nft failed")})
    assert (result, new) == (False, [])
    assert old.asked == ["firewall-apply"]
    assert "nft failed" in caplog.text


def test_rules_that_are_in_force_already_need_no_new_login(run):
    result, _, new = run({"firewall-apply": (True, "unchanged")})
    assert (result, new) == (True, [])


def test_a_host_that_cannot_be_told_goes_back_by_itself(run, caplog):
    result, _, _ = run({"firewall-rollback": (False, "")}, fails=OSError("cut"))
    assert result is False
    assert "goes back to the old ones by itself" in caplog.text


def test_confirmed_rules_are_left_alone(commands):
    assert commands(firewall.new_rules, firewall, {StepState: "done"}, confirm_seconds=60) == []
    made = commands(firewall.new_rules, firewall, {StepState: "pending"}, confirm_seconds=60)
    assert [command.function for command in made] == [firewall.apply_and_confirm]


def test_the_firewalls_of_others_are_told_apart():
    facts = firewall.FirewallFacts().process(["other=ufw", "ipv6=2001:db8::1/64"])
    assert facts == {"other": "ufw", "ipv6": "2001:db8::1/64"}
