"""Steps of the agent are asked about once, as long as the run changes nothing on the host."""

import json
import shlex
from types import SimpleNamespace

import pytest

from tinykit_ops.cli import run
from tinykit_ops.ops import step_states
from tinykit_ops.ops.step_states import (
    DONE,
    StepState,
    StepStates,
    first_agent,
    is_done,
    plan_step,
)


class Op:
    """An operation of the run: None is not yet done, else whether it changed the host."""

    def __init__(self, changed=None):
        self.changed = changed
        self.operation_meta = self

    def is_complete(self):
        return self.changed is not None

    def did_change(self):
        return bool(self.changed)


class Host:
    """Knows which steps are done, and notes what it is asked."""

    name = "tk-1"

    def __init__(self, **done):
        self.done = done
        self.asked = []
        self.ops = {"one": Op(), "two": Op()}
        self.state = SimpleNamespace(is_executing=True, ops={self: self.ops})
        self.knows_all = True

    def get_fact(self, fact, step=None, steps=None):
        self.asked.append("all" if steps else step[0])
        if fact is StepState:
            return DONE if self.done[step[0]] else "pending"
        return [self.done[one[0]] for one in steps] if self.knows_all else []


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(step_states, "_RUNS", {})

    def make(**done):
        host = Host(**done)
        for step in done:
            plan_step(host, [step])
        return host

    return make


def test_all_steps_are_asked_about_in_one_question(host):
    one = host(secrets=True, claim=False, acme=True)
    answers = [is_done(one, [step]) for step in ("secrets", "claim", "acme")]
    assert answers == [True, False, True]
    assert one.asked == ["all"]


def test_after_a_change_of_this_run_nothing_old_is_believed(host):
    one = host(secrets=True, claim=True)
    assert is_done(one, ["secrets"])
    one.ops["one"].changed = True
    one.done["claim"] = False
    assert not is_done(one, ["claim"])
    assert one.asked == ["all", "claim"]


def test_an_operation_that_changed_nothing_leaves_the_answers_good(host):
    one = host(secrets=True, claim=True)
    assert is_done(one, ["secrets"])
    one.ops["one"].changed = False
    assert is_done(one, ["claim"])
    assert one.asked == ["all"]


def test_an_agent_that_cannot_tell_all_is_asked_step_by_step(host):
    one = host(secrets=True, claim=False)
    one.knows_all = False
    assert is_done(one, ["secrets"])
    assert not is_done(one, ["claim"])
    assert one.asked == ["all", "secrets", "claim"]


def test_a_dry_run_and_a_single_deploy_ask_for_the_one_step(host):
    one = host(secrets=True, claim=True)
    one.state.is_executing = False
    assert is_done(one, ["claim"])
    alone = host(acme=True)
    step_states._RUNS.clear()
    plan_step(alone, ["acme"])
    assert is_done(alone, ["acme"])
    assert (one.asked, alone.asked) == (["claim"], ["acme"])


def test_the_run_that_brings_a_host_its_first_agent_asks_only_what_may_be_there_without(host):
    one = host(secrets=False, rotation=True, bans=True)
    first_agent(one)
    answers = [
        is_done(one, ["secrets"], "work"),
        is_done(one, ["rotation"], "nothing"),
        is_done(one, ["bans"], "ask"),
    ]
    assert answers == [False, True, True]
    assert one.asked == ["bans"]


def test_what_a_bare_host_has_to_do_says_nothing_of_one_that_had_an_agent(host):
    one = host(secrets=True, rotation=False)
    assert is_done(one, ["secrets"], "work")
    assert not is_done(one, ["rotation"], "nothing")


@pytest.mark.parametrize("said", [[], ["no such command"], ['{"a": 1}'], ["null"]])
def test_an_answer_that_is_none_is_no_yes(said):
    assert StepStates().process(said) == []
    assert StepStates().process(["noise", "[true, false, 1]"]) == [True, False, False]


def test_the_agent_says_of_each_step_whether_it_has_nothing_to_do(monkeypatch, capsys):
    from tinykit_ops.cli.host import _bans, _certificates, _secrets

    class Step:
        def __init__(self, left):
            self.left = left

        def pending(self):
            return self.left

    for module in (_bans, _certificates, _secrets):
        monkeypatch.setattr(module, "load_agent_config", lambda: SimpleNamespace(settings=None))
    monkeypatch.setattr(_secrets, "SecretsStep", lambda _: Step([]))
    monkeypatch.setattr(_bans, "BansStep", lambda _: Step(["a ban to lift"]))

    def breaks(_):
        raise RuntimeError

    monkeypatch.setattr(_certificates, "CertificateStep", breaks)
    asked = [["secrets"], ["bans"], ["certificate"], ["no-such-step"]]
    words = shlex.split(StepStates().command(asked))
    assert run(words[1 : words.index("2>/dev/null")]) == 0
    said = capsys.readouterr().out
    assert json.loads(said) == [True, False, False, False]
    assert run(["host", "pending", "nonsense"]) == 64
