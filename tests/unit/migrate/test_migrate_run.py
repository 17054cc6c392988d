"""The order of a move, and what a failure or a kill leaves: nobody ever writes on both hosts."""

import json
from types import SimpleNamespace

import pytest

from tinykit_ops.checks.registry import select
from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.migrate import run
from tinykit_ops.migrate.here import State
from tinykit_ops.migrate.plan import Move

WELL = [{"name": "services", "level": "fine", "text": ""}]
ILL = [{"name": "health", "level": "wrong", "text": "tinykit: answers 500"}]


class Hosts:
    """Two agents that write down what they are told; `fails` is a command that does not work."""

    def __init__(self, fails="", lines=WELL, listed=("snap-1",)):
        self.done = []
        self.stdin = {}
        self.fails = fails
        self.lines = lines
        self.listed = listed

    def ask_one(self, _inventory, words, *, limit, stdin="", **_):
        said = f"{limit[0]}: {' '.join(words)}"
        self.done.append(said)
        self.stdin[said] = stdin
        if self.fails and self.fails in said:
            raise UnavailableError(f"{said} failed")
        out = ""
        if tuple(words[:2]) == ("backup", "run"):
            out = json.dumps([{"snapshot": "snap-1"}])
        if words[1] == "list":
            out = json.dumps({"offsite": [{"id": each} for each in self.listed]})
        if words[0] == "status":
            out = json.dumps({"hosts": [{"lines": self.lines}]})
        return SimpleNamespace(out=out)

    def told(self, *words):
        """The place of the first thing that was said with these words; -1 when nothing was."""
        found = [n for n, said in enumerate(self.done) if all(word in said for word in words)]
        return found[0] if found else -1

    def last(self, *words):
        return max(n for n, said in enumerate(self.done) if all(word in said for word in words))


@pytest.fixture
def mover(monkeypatch, tmp_path):
    """mover(hosts, old=State, new=State) → a Mover; findings of the new host are in `extra`."""

    def make(hosts, old=State(projects=1), new=State(), is_bare=True, extra=()):  # noqa: B008
        monkeypatch.setattr(run, "ask_one", hosts.ask_one)
        monkeypatch.setattr(
            run,
            "provision",
            lambda _, host, deploys: hosts.done.append(f"provision {host}: {' '.join(deploys)}"),
        )
        monkeypatch.setattr(
            run,
            "look_at_hosts",
            lambda *_, **__: [SimpleNamespace(host=name, report=name) for name in ("old", "new")],
        )
        failing = {"old": {"https.hsts"}, "new": {"https.hsts", *extra}}
        monkeypatch.setattr(run, "_failing", failing.__getitem__)
        move = Move(tmp_path, "old", "new", "offsite", old, new, is_bare)
        return run.Mover(move, "the-private-key", hosts.done.append)

    return make


def test_writes_stop_after_the_rehearsal_and_before_the_last_snapshot(mover):
    hosts = Hosts()
    window = mover(hosts).run()
    order = [
        hosts.told("provision new: preflight.py prepare.py"),
        hosts.told("new: host move receive old"),
        hosts.told("provision new: full.py"),
        hosts.told("old: backup run"),
        hosts.told("new: backup restore snap-1"),
        hosts.told("old: host move close new"),
        hosts.last("old: backup run"),
        hosts.last("new: backup restore"),
        hosts.told("new: status"),
        hosts.told("new: host move arrive"),
        hosts.told("old: host move leave"),
    ]
    assert order == sorted(order)
    assert -1 not in order
    assert str(window).startswith("read-only window: 2")
    assert window.ended >= window.began


def test_the_private_key_goes_to_the_new_host_alone_and_by_standard_input(mover):
    hosts = Hosts()
    mover(hosts).run()
    given = {said.split(":")[0] for said, stdin in hosts.stdin.items() if stdin}
    assert given == {"new"}
    assert not any("the-private-key" in said for said in hosts.done)


def test_a_rehearsal_that_fails_never_closes_the_old_host(mover):
    for hosts in (Hosts(fails="new: backup restore"), Hosts(listed=())):
        with pytest.raises((UnavailableError, UsageError)):
            mover(hosts).run()
        assert hosts.told("close") == -1


def test_findings_that_the_old_host_has_not_stop_it_before_the_window(mover):
    hosts = Hosts()
    with pytest.raises(UnavailableError, match=r"network\.ports-closed"):
        mover(hosts, extra={"network.ports-closed", "backups.fresh"}).run()
    assert hosts.told("close") == -1


def test_what_a_new_host_cannot_have_yet_are_checks_that_there_are():
    assert {check.id for check in select((), ())} >= run.NOT_YET


def test_a_failure_within_the_window_lets_the_old_host_take_writes_again(mover):
    hosts = Hosts(lines=ILL)
    with pytest.raises(UnavailableError, match="tinykit: answers 500"):
        mover(hosts).run()
    assert hosts.told("old: host move open") > hosts.told("old: host move close")
    assert hosts.told("arrive") == -1


def test_a_run_that_was_killed_in_the_window_is_gone_on_with_there(mover):
    hosts = Hosts()
    window = mover(hosts, State("new", projects=1), State(comes_from="old", projects=1)).run()
    assert hosts.told("provision") == -1
    assert hosts.told("new: host move arrive") > hosts.told("new: backup restore") > 0
    assert window.seconds is None
    assert "begun by the run before" in str(window)


def test_a_run_that_was_killed_after_it_copies_nothing_again(mover):
    hosts = Hosts()
    assert mover(hosts, State("new", projects=1), State("", "old", True, 1)).run() is None
    assert hosts.done == ["old: host move leave"]


def test_an_abort_opens_the_old_host_and_is_refused_once_people_may_write_on_the_new_one(mover):
    hosts = Hosts()
    mover(hosts, State("new", projects=1), State(comes_from="old"), is_bare=False).abort()
    assert hosts.done == ["old: host move open", "new: host move forget"]
    with pytest.raises(UsageError, match="may have written") as refused:
        mover(Hosts(), State("new", projects=1), State("", "old", True, 1)).abort()
    assert "tinykit-ops migrate new old" in refused.value.hint
