"""An operation that asks the host something and gets no answer fails, and does nothing."""

from types import SimpleNamespace

import pytest
from pyinfra.api.exceptions import PyinfraError

from tinykit_ops.ops import unanswered

OP = "an-operation"


class Host:
    """A host whose facts are asked for as pyinfra does: `answers` says what comes of it."""

    def __init__(self, state, answers):
        self.name = "tk-1"
        self.state = state
        self.answers = answers

    def get_fact(self, fact):
        return self.answers(self)


@pytest.fixture
def run():
    """run(answers, executing) → the commands that an operation sends that asks one thing."""

    def commands(answers, executing=True):
        state = SimpleNamespace(failed_hosts=set(), is_executing=executing)
        host = Host(state, answers)

        def asks():
            yield f"use {host.get_fact('packages')}"

        operation = SimpleNamespace(command_generator=asks)
        state.ops = {host: {OP: operation}}
        unanswered.notice_unanswered(host)
        unanswered.Unanswered().operation_host_start(state, host, OP)
        return [
            getattr(each, "get_raw_value", each.__str__)() for each in operation.command_generator()
        ]

    return commands


def goes_on_with_the_default(host):
    """What pyinfra does while other hosts are left."""
    host.state.failed_hosts.add(host)
    return "nothing"


def ends_for_want_of_hosts(host):
    """What pyinfra does with the last one."""
    host.state.failed_hosts.add(host)
    raise PyinfraError("No hosts remaining!")


def test_an_answer_is_used(run):
    assert run(lambda _: "nginx") == ["use nginx"]


@pytest.mark.parametrize("answers", [goes_on_with_the_default, ends_for_want_of_hosts])
def test_without_an_answer_the_operation_says_so_and_fails_and_nothing_else_is_done(run, answers):
    (command,) = run(answers)
    assert "error: the host did not answer a question of this run" in command
    assert "hint:" in command
    assert "exit 1" in command


def test_while_nothing_is_executed_yet_pyinfra_deals_with_it(run):
    assert run(goes_on_with_the_default, executing=False) == ["use nothing"]


def test_another_fault_is_not_taken_for_a_missing_answer(run):
    def broken(_):
        raise PyinfraError("a fault of ours")

    with pytest.raises(PyinfraError, match="a fault of ours"):
        run(broken)
