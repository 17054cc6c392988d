"""The last word of a run over several hosts: who failed, where, why, and what to do."""

import logging
from types import SimpleNamespace

import pytest

from tinykit_ops.ops import failures, lost_hosts
from tinykit_ops.settings import pyinfra_words

OK, CHANGED = "ok", "changed"


class Meta:
    """How one operation went on one host; None is: it was never reached."""

    def __init__(self, went, said=()):
        self.went = went
        self.stderr_lines = list(said)

    def is_complete(self):
        return self.went is not None

    def did_succeed(self):
        return self.went in (OK, CHANGED)


class Host:
    def __init__(self, name, *metas):
        self.name = name
        self.metas = metas
        self.op_hash_order = [f"op-{number}" for number in range(len(metas))]
        self.connector = SimpleNamespace(client=None)


class State:
    """A run of pyinfra that is over."""

    is_executing = True

    def __init__(self, *hosts, failed=(), unreached=()):
        self.inventory = hosts
        self.failed_hosts = {host for host in hosts if host.name in (*failed, *unreached)}
        self.activated_hosts = {host for host in hosts if host.name not in unreached}
        self.ops = {
            host: {
                op: SimpleNamespace(operation_meta=meta, global_arguments={"_ignore_errors": False})
                for op, meta in zip(host.op_hash_order, host.metas, strict=True)
            }
            for host in hosts
        }

    def is_host_in_limit(self, host):
        return True

    def get_op_meta(self, op_hash):
        return SimpleNamespace(names={f"Do {op_hash}"})


@pytest.fixture
def words(monkeypatch):
    heard = pyinfra_words.Words()
    monkeypatch.setattr(failures, "WORDS", heard)
    return heard


def test_nothing_is_said_when_all_went_well_or_one_host_has_said_it_already(words):
    assert failures.summary(State(Host("a", Meta(OK)), Host("b", Meta(OK)))) == ""
    assert failures.summary(State(Host("a", Meta("failed")), failed=["a"])) == ""


def test_each_failed_host_is_told_with_place_reason_and_hint_and_the_others_counted(words):
    words.emit(record("[dead] \x1b[31mCould not connect (timed out)\x1b[0m"))
    said = failures.summary(
        State(
            Host("well", Meta(OK), Meta(CHANGED)),
            Host("dead"),
            Host("full", Meta(OK), Meta("failed", ["tar: write error: No space left on device"])),
            Host(
                "refused", Meta("failed", ["noise", "error: port 80 is taken", "  hint:  stop it"])
            ),
            failed=["full", "refused"],
            unreached=["dead"],
        )
    )
    assert said.splitlines() == [
        "3 of 4 hosts failed:",
        "  dead: it could not be reached",
        "      Could not connect (timed out)",
        "      hint:  is it on, and does `ssh` to it work?",
        "  full: failed at 'Do op-1'",
        "      tar: write error: No space left on device",
        "      hint:  free some space on it: `df -h` tells where",
        "  refused: failed at 'Do op-0'",
        "      port 80 is taken",
        "        hint:  stop it",
        "1 host is done: a next run changes nothing there.",
        "When it is mended, run the same again; only these: "
        "--limit dead --limit full --limit refused",
    ]


def test_a_host_that_fails_before_its_first_operation_is_told_with_pyinfras_words(words):
    words.emit(record("[b] Error: could not load fact: tinykit_ops.HostFacts"))
    said = failures.summary(State(Host("a", Meta(OK)), Host("b", Meta(None)), failed=["b"]))
    assert "b: failed before its first operation" in said
    assert "could not load fact" in said


def test_a_connection_that_broke_is_the_reason(words):
    host = Host("b", Meta("failed", ["half a line"]))
    gone = SimpleNamespace(is_active=lambda: False)
    host.connector.client = SimpleNamespace(get_transport=lambda: gone)
    said = failures.summary(State(Host("a", Meta(OK)), host, failed=["b"]))
    assert lost_hosts.BROKEN in said
    assert "half a line" not in said


def test_a_lone_host_that_was_lost_is_told_with_what_to_do(words):
    host = Host("b", Meta(OK), Meta("failed"))
    gone = SimpleNamespace(is_active=lambda: False)
    host.connector.client = SimpleNamespace(get_transport=lambda: gone)
    assert failures.summary(State(host, failed=["b"])).splitlines() == [
        "  b: failed at 'Do op-1'",
        f"      {lost_hosts.BROKEN}",
        "      hint:  is it on? What it had begun is finished by the next run",
    ]


def test_a_run_that_was_cut_off_calls_no_host_done_that_it_did_not_finish(words):
    said = failures.summary(
        State(Host("a", Meta(OK), Meta(None)), Host("b", Meta("failed")), failed=["b"])
    )
    assert "0 hosts are done" in said


def test_a_host_that_failed_without_waiting_for_others_is_remembered(monkeypatch):
    monkeypatch.setattr(failures.atexit, "register", lambda _: None)
    host = Host("a", Meta("failed"))
    state = State(host, Host("b", Meta(OK)))
    failures.Failures(state).operation_host_error(state, host, "op-0")
    assert state.failed_hosts == {host}


def record(message):
    return logging.LogRecord("pyinfra", logging.ERROR, __file__, 1, f"    {message}", None, None)


def test_a_broken_connection_is_an_error_of_that_host_alone():
    def breaks(*_, **__):
        raise EOFError

    host = SimpleNamespace(
        connector=SimpleNamespace(client=None), run_shell_command=breaks, put_file=breaks
    )
    lost_hosts.notice_when_lost(host)
    for call in (host.run_shell_command, host.put_file):
        # pyinfra catches this one, and fails the host.
        with pytest.raises(lost_hosts.SSHException, match="the connection broke"):
            call("true")
