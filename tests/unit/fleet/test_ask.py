"""Asking agents: what their answers become, without any host."""

import json
import subprocess

import pytest

from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.fleet import apart, command
from tinykit_ops.fleet.ask import RefusedByAgentError, ask_hosts, ask_one
from tinykit_ops.fleet.shell import run_script

NOTHING = {"out": None, "err": "", "code": None, "problem": ""}


@pytest.fixture
def fleet(make_settings, monkeypatch, tmp_path):
    """fleet(host={…answer}) makes the child answer that; requests are kept in `fleet.asked`."""

    def answers(**hosts):
        def run(words, **more):
            request = json.loads(more["input"])
            answers.asked.append((request, words))
            rows = [
                {"host": name, "settings": settings, **NOTHING, **(said if said else {})}
                for name, said in hosts.items()
                if not request["limit"] or name in request["limit"]
            ]
            if not request["words"]:
                rows = [{**row, **NOTHING} for row in rows]
            return subprocess.CompletedProcess(words, 0, json.dumps({"hosts": rows}), "")

        monkeypatch.setattr(apart.subprocess, "run", run)

    settings = json.loads(make_settings().model_dump_json(exclude_none=True))
    answers.asked = []
    return answers


def test_one_host_is_asked_and_a_secret_goes_by_standard_input(fleet, tmp_path):
    fleet(web1={"out": "done", "code": 0})
    said = ask_one(tmp_path, ["users", "add", "a@b.c"], stdin="the-secret")
    assert said.out == "done"
    request, words = fleet.asked[-1]
    assert request["stdin"] == "the-secret"
    assert "the-secret" not in " ".join([*words, *request["words"]])


def test_with_several_hosts_it_must_be_said_which(fleet, tmp_path):
    fleet(web1={"out": "", "code": 0}, web2={"out": "", "code": 0})
    with pytest.raises(UsageError, match="not clear which") as told:
        ask_one(tmp_path, ["users", "list"])
    assert "web1, web2" in told.value.hint
    assert ask_one(tmp_path, ["users", "list"], limit=["web2"]).host == "web2"


def test_an_agents_refusal_keeps_its_words_and_its_exit_code(fleet, tmp_path):
    fleet(web1={"out": "", "err": "error: there is one already\n  hint:  reset it\n", "code": 64})
    with pytest.raises(RefusedByAgentError, match="there is one already") as told:
        ask_one(tmp_path, ["users", "add", "a@b.c"])
    assert told.value.exit_code == 64


def test_a_host_that_cannot_be_asked_is_told_so(fleet, tmp_path):
    fleet(web1={"problem": "no connection to web1"})
    with pytest.raises(UnavailableError, match="no connection to web1"):
        ask_one(tmp_path, ["users", "list"])
    (answer,) = ask_hosts(tmp_path, ["users", "list"])
    assert answer.complaint == "no connection to web1"


def test_the_agent_runs_as_root_and_learns_who_asks():
    line = command.agent_command(["users", "remove", "a b"])
    assert "sudo -n env TINYKIT_OPS_WHO=" in line
    assert "users remove 'a b'" in line
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr.rpartition(command.EXIT_MARK)[2].strip().isdecimal()


@pytest.mark.parametrize("last_words", ["Segmentation fault", ""])
def test_a_child_that_ends_without_an_answer_is_told_with_its_last_words(
    monkeypatch, tmp_path, last_words
):
    def run(words, **_):
        return subprocess.CompletedProcess(words, 139, "", f"noise\n{last_words}\n")

    monkeypatch.setattr(apart.subprocess, "run", run)
    with pytest.raises(UnavailableError, match="could not be asked") as told:
        ask_hosts(tmp_path / "prod.py", ["status"])
    assert told.value.where == str(tmp_path / "prod.py")
    assert told.value.hint == f"pyinfra said: {last_words or 'noise'}"
    with pytest.raises(UnavailableError, match="pyinfra said"):
        run_script("web1", {}, "true")
