"""A run holds its hosts: from the first operation that could change something to the end."""

from types import SimpleNamespace

import gevent
import pytest

from tinykit_ops.deploy import holder
from tinykit_ops.ops import hold

OP = "an-operation"


class Host:
    """A host that answers as the real program would; `lines` is what that was told."""

    def __init__(self, answer="held"):
        self.name = "tk-1"
        self.answer = answer
        self.lines = []
        self.gone = ""  #: what the program prints when it ends before it is told to
        self.connector = None
        self.closed_after = None
        meta = SimpleNamespace(is_complete=lambda: True, did_change=lambda: True)
        arguments = {"_ignore_errors": False, "_sudo": True}
        op = SimpleNamespace(operation_meta=meta, global_arguments=arguments)
        self.state = SimpleNamespace(
            ops={self: {OP: op}},
            get_op_data_for_host=lambda *_: op,
            get_op_meta=lambda _: SimpleNamespace(names={"Run tinykit"}),
        )
        self.nested_executing_op_hash = None
        self.executing_op_hash = OP

    def run_shell_command(self, command, **arguments):
        assert arguments["_sudo"], "root holds the lock"
        if "_stdin" not in arguments:
            return True, SimpleNamespace(stdout=self.answer)
        for line in arguments["_stdin"]:
            self.lines.append(line)
            if self.gone:
                return False, SimpleNamespace(stdout=self.gone)
        return True, SimpleNamespace(stdout="")

    def disconnect(self):
        self.closed_after = list(self.lines)


@pytest.fixture
def keeper(monkeypatch):
    monkeypatch.setattr(holder, "BEAT_SECONDS", 0.01)
    return hold.Keeper()


def said(host):
    """The refusal that its next operation would end with, or an empty string."""
    generator = getattr(host.state.ops[host][OP], "command_generator", None)
    return " ".join(command.get_raw_value() for command in generator()) if generator else ""


def test_a_run_tells_the_host_that_it_lives_and_how_it_ended_before_it_hangs_up(keeper):
    host = Host()
    assert keeper.take(host) is None
    until(lambda: host.lines.count("beat") > 2)
    host.disconnect()
    assert host.closed_after.count("beat") > 2
    assert host.closed_after[-1] == 'end "result": "ok", "changed": 1'


def test_a_host_that_somebody_else_holds_is_not_held(keeper):
    problem = keeper.take(Host('busy {"who": "you@desk", "what": "pyinfra", "since": "now"}'))
    assert "you@desk: pyinfra, since now" in problem.what


def test_a_failed_operation_frees_the_host_at_once_and_is_named(keeper):
    host = Host()
    keeper.take(host)
    keeper.operation_host_error(host.state, host, OP)
    assert host.lines[-1] == 'end "result": "failed", "changed": 1, "failed": "Run tinykit"'
    before = list(host.lines)
    host.disconnect()
    assert host.lines == before


def test_an_operation_that_was_never_reached_makes_the_run_an_interrupted_one(keeper):
    host = Host()
    host.state.ops[host][OP].operation_meta = SimpleNamespace(is_complete=lambda: False)
    keeper.take(host)
    host.disconnect()
    assert '"interrupted", "changed": 0' in host.lines[-1]


def until(come):
    """Let the others run until that is true."""
    with gevent.Timeout(60):
        while not come():
            gevent.sleep(0.01)


def lose(keeper, host, printed):
    """The program on the host ends without having been told to."""
    host.gone = printed
    until(lambda: keeper._held[host.name].is_lost)
    host.gone = ""


def test_a_host_whose_lock_was_lost_is_taken_again(keeper):
    host = Host()
    keeper.take(host)
    lose(keeper, host, "its connection broke")
    keeper.operation_host_start(host.state, host, OP)
    assert said(host) == ""
    host.disconnect()
    assert host.lines[-1].startswith("end ")


def test_a_host_that_somebody_took_meanwhile_fails_with_who_has_it(keeper):
    host = Host()
    keeper.take(host)
    lose(keeper, host, "its connection broke")
    host.answer = 'busy {"who": "you@desk"}'
    keeper.operation_host_start(host.state, host, OP)
    assert "you@desk" in said(host)


def test_a_host_that_was_released_by_a_person_fails_and_is_not_taken_again(keeper):
    host = Host()
    keeper.take(host)
    lose(keeper, host, holder.STOPPED)
    keeper.operation_host_start(host.state, host, OP)
    assert "took this host away" in said(host)


def test_a_dry_run_holds_nothing(monkeypatch):
    told = []
    host = SimpleNamespace(state=SimpleNamespace(is_executing=False), noop=told.append)
    monkeypatch.setattr(hold, "host", host)
    assert list(hold.hold._inner()) == []
    assert told == ["a dry run keeps nobody away"]
