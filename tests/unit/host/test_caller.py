"""Who is behind a command."""

import subprocess
import sys

from tinykit_ops.host import caller

ASK = "from tinykit_ops.host.caller import caller; print(caller())"


def test_the_address_is_found_above_a_command_that_lost_the_variable():
    inner = f"unset SSH_CONNECTION; {sys.executable} -c '{ASK}'; true"
    outer = ["env", "SSH_CONNECTION=203.0.113.7 1 2 3", "sh", "-c", f'sh -c "{inner}"; true']
    done = subprocess.run(outer, capture_output=True, text=True, check=True)
    assert "'address': '203.0.113.7'" in done.stdout


def test_a_user_without_a_name_has_a_number(monkeypatch):
    def nobody():
        raise KeyError

    monkeypatch.setattr(caller.getpass, "getuser", nobody)
    assert caller.user().startswith("user-")


def test_the_person_at_the_controller_counts_before_the_login_on_the_host(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "ops")
    assert caller.caller()["who"] == "ops"
    monkeypatch.setenv(caller.WHO, "ann@laptop")
    assert (caller.caller()["who"], caller.caller()["login"]) == ("ann@laptop", "ops")
