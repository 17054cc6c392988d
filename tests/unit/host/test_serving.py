"""Which agents of the builder are at work: tinykit keeps their chats, and tells nobody else."""

import pytest

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.serving import SILENT_SECONDS, Agents


def project(name, status, text=""):
    chat = [{"role": "user"}, {"role": "assistant", "status": status, "content": text}]
    return {"id": name.lower(), "name": name, "agent_chat": chat}


def test_a_chat_that_says_running_is_an_agent_at_work():
    assert Agents(lambda: [project("Shop", "running"), project("Blog", "done")])() == ["Shop"]


def test_the_name_of_a_project_cannot_steer_a_terminal():
    agents = Agents(lambda: [project("a\x1b]0;b\nc", "running")])
    assert agents() == ["a\ufffd]0;b\ufffdc"]


def test_a_chat_that_does_not_grow_any_more_is_what_a_dead_process_left():
    now = [0.0]
    agents = Agents(lambda: [project("Shop", "running")], clock=lambda: now[0])
    assert agents() == ["Shop"]
    now[0] = SILENT_SECONDS + 1
    assert agents() == []


def test_a_chat_that_grows_is_waited_for_longer():
    now, text = [0.0], ["a"]
    agents = Agents(lambda: [project("Shop", "running", text[0])], clock=lambda: now[0])
    agents()
    now[0], text[0] = SILENT_SECONDS + 1, "ab"
    assert agents() == ["Shop"]


@pytest.mark.parametrize("chat", [None, "", [], "running", [None], ["running"]])
def test_other_chats_are_no_agents(chat):
    assert Agents(lambda: [{"id": "x", "agent_chat": chat}])() == []


def test_a_database_that_cannot_tell_keeps_nobody_waiting():
    def away():
        raise UnavailableError("no PocketBase")

    assert Agents(away)() == []
