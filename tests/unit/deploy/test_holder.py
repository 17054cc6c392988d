"""The program that holds a host for a run of pyinfra, run here by the real bash."""

import json
import shlex
import signal
import subprocess

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy import holder
from tinykit_ops.host import audit, run_lock

ME = {"who": "me@laptop", "what": "pyinfra deploys/full.py", "version": "1"}
YOU = {**ME, "who": "you@desk"}


@pytest.fixture
def hold(tmp_path, monkeypatch):
    """hold(run, about, patience) → the running holder, which has answered."""
    for name in ("LOCK_DIR", "AUDIT_DIR"):
        monkeypatch.setattr(layout, name, str(tmp_path / name))
    monkeypatch.setattr(layout, "RUN_LOCK", str(tmp_path / "LOCK_DIR" / "run"))
    monkeypatch.setattr(layout, "AUDIT_LOG", str(tmp_path / "AUDIT_DIR" / "audit.jsonl"))
    monkeypatch.setattr(layout, "AUDIT_LOCK", str(tmp_path / "LOCK_DIR" / "audit"))
    monkeypatch.setattr(holder, "WAIT_SECONDS", 0)
    running = []

    def start(run, about=ME, patience=0):
        words = shlex.split(holder.hold_command(run, about, patience))
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        done = subprocess.run(
            ["sh", "-c", holder.answer_command(run)], capture_output=True, text=True, check=False
        )
        process.answer = done.stdout
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def entries():
    return audit.read(audit.Path(layout.AUDIT_LOG))[0]


def lock_file():
    return run_lock.Path(layout.RUN_LOCK)


def test_a_run_holds_the_host_and_its_result_is_written_down(hold):
    mine = hold("a1")
    assert holder.problem_in(mine.answer, "tk-1") is None
    assert run_lock.holder(lock_file())["who"] == "me@laptop"
    mine.communicate(f"beat\n{holder.ending('ok', 7)}\n", timeout=60)
    (entry,) = entries()
    assert (entry.who, entry.what, entry.result) == ("me@laptop", ME["what"], "ok")
    assert entry.changed == 7
    assert run_lock.holder(lock_file()) is None
    assert [path.name for path in lock_file().parent.glob("run.*")] == []


def test_a_second_controller_is_refused_with_who_what_and_since_when(hold):
    hold("a1")
    problem = holder.problem_in(hold("b2", YOU).answer, "tk-1")
    assert "me@laptop" in problem.what
    assert "pyinfra deploys/full.py, since 20" in problem.what
    assert problem.exit_code == 75
    assert [(entry.who, entry.result) for entry in entries()] == [
        ("me@laptop", "unfinished"),
        ("you@desk", "refused"),
    ]


def test_a_controller_that_dies_frees_the_host_and_is_told_of_in_the_log(hold):
    mine = hold("a1")
    mine.communicate("beat\n", timeout=60)  # its input ends, as sshd ends it
    assert entries()[0].result == "interrupted"
    assert entries()[0].why == "the controller went away"
    assert holder.problem_in(hold("b2", YOU).answer, "tk-1") is None


def test_a_controller_that_is_not_heard_any_more_loses_the_host(hold):
    mine = hold("a1", patience=1)
    assert mine.wait(60) == 0
    assert "nothing was heard" in entries()[0].why
    assert holder.problem_in(hold("b2", YOU).answer, "tk-1") is None


def test_a_holder_that_is_stopped_says_so_to_its_controller(hold):
    mine = hold("a1")
    mine.send_signal(signal.SIGTERM)
    out, _ = mine.communicate(timeout=60)
    assert out.strip() == holder.STOPPED
    assert entries()[0].why == "the run was stopped"


def test_a_failed_operation_is_named(hold):
    mine = hold("a1")
    last = holder.ending("failed", 2, 'Run "tinykit"')
    mine.communicate(f"{last}\n", timeout=60)
    assert (entries()[0].result, entries()[0].why) == ("failed", 'Run "tinykit"')


def test_what_a_controller_calls_itself_cannot_break_the_log(hold):
    mine = hold("a1", {**ME, "who": "a'\"$(id)\n@b"})
    mine.communicate(f"{holder.ending('ok', 0)}\n", timeout=60)
    lines = audit.Path(layout.AUDIT_LOG).read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["begun", "ended"]
    assert entries()[0].who == "a'\"$(id)\n@b"


def test_a_host_that_does_not_answer_is_not_taken_for_free():
    assert "did not say" in holder.problem_in("", "tk-1").what


def test_the_deploys_of_a_run_are_named_and_not_its_inventory():
    told = holder.about(["pyinfra", "-y", "inventories/a.py", "deploys/full.py"])
    assert told["what"] == "pyinfra deploys/full.py"
