"""The story of a conversion, with a host that answers as it is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from adopt_hosts import with_units

from tinykit_ops.adopt import begin as beginning
from tinykit_ops.adopt import run
from tinykit_ops.adopt.begin import begin, read_login
from tinykit_ops.adopt.model import Answers, Install
from tinykit_ops.adopt.old import command_of
from tinykit_ops.adopt.record import Journal, Record
from tinykit_ops.adopt.run import Conversion, WentBackError
from tinykit_ops.errors import AccessError, BusyError, StorageError, UnavailableError, UsageError

INSTALL = Install(system="debian 13", layout="systemd", data="/srv/pb_data", pocketbase="0.23.4")
RECORD = Record(state="done", install=INSTALL, away=12.5)


class Host:
    """Does what it is asked, but for the one step that fails."""

    def __init__(self, fails=""):
        self.did, self.fails = [], fails

    def ask(self, inventory, words, **_):
        return self.do(words[1])

    def do(self, step):
        self.did.append(step)
        if step == self.fails:
            raise UnavailableError(f"{step} failed")
        return SimpleNamespace(
            out="the old install serves again\n"
            if step == "adopt-back"
            else RECORD.model_dump_json()
        )


@pytest.fixture
def conversion(tmp_path, monkeypatch):
    def make(host):
        monkeypatch.setattr(run, "ask_one", host.ask)
        monkeypatch.setattr(run, "Deploys", lambda *_: SimpleNamespace(run=host.do))
        return Conversion(tmp_path / "x.py", "web1", Answers(), lambda _: None, lambda _: True)

    return make


def test_the_old_install_stops_before_the_deploy_and_the_end_is_judged(conversion):
    host = Host()
    assert conversion(host).convert().away == 12.5
    assert host.did == ["adopt-stop", "full.py", "adopt-finish"]


@pytest.mark.parametrize("step", ["adopt-stop", "full.py", "adopt-finish"])
def test_whatever_fails_the_old_install_comes_back(conversion, step):
    host = Host(fails=step)
    with pytest.raises(WentBackError, match=f"serves again: {step} failed"):
        conversion(host).convert()
    assert host.did[-1] == "adopt-back"


def test_another_run_that_is_at_it_is_left_alone(conversion, monkeypatch):
    host = Host()
    made = conversion(host)

    def busy(*_, **__):
        host.did.append("asked")
        raise BusyError("this host is being changed by ann@laptop")

    monkeypatch.setattr(run, "ask_one", busy)
    with pytest.raises(BusyError):
        made.convert()
    assert host.did == ["asked"]


def test_ctrl_c_in_the_middle_brings_the_old_install_back(conversion, monkeypatch):
    host = Host()
    made = conversion(host)

    def interrupted(deploy):
        host.did.append(deploy)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "Deploys", lambda *_: SimpleNamespace(run=interrupted))
    with pytest.raises(KeyboardInterrupt):
        made.convert()
    assert host.did == ["adopt-stop", "full.py", "adopt-back"]


def test_when_going_back_fails_too_that_is_what_is_told(conversion, monkeypatch):
    host = Host(fails="full.py")
    done = host.do
    monkeypatch.setattr(
        host, "do", lambda step: done(step) if step != "adopt-back" else done("full.py")
    )
    with pytest.raises(UnavailableError) as told:
        conversion(host).convert()
    assert not isinstance(told.value, WentBackError)


def test_a_preparation_that_fails_stops_nothing(conversion):
    host = Host(fails="prepare.py")
    with pytest.raises(UnavailableError, match=r"prepare\.py failed"):
        conversion(host).prepare(INSTALL, "")
    assert host.did == ["prepare.py"]


@pytest.mark.parametrize(
    ("exe", "words", "wanted"),
    [
        ("/usr/bin/node", ["node", "build/index.js"], ["/usr/bin/node", "build/index.js"]),
        ("/usr/bin/node", ["npm run dev"], ["/usr/bin/env", "npm", "run", "dev"]),
        ("/opt/pb/pocketbase", ["./pocketbase", "serve"], ["/opt/pb/pocketbase", "serve"]),
        ("/opt/pb/pocketbase", [], ["/opt/pb/pocketbase"]),
    ],
)
def test_programs_are_started_again_by_what_they_were_started_with(exe, words, wanted):
    assert command_of(exe, words) == wanted


def test_a_record_comes_back_as_it_was_written_and_a_broken_one_says_where(tmp_path):
    journal = Journal(tmp_path / "adopted")
    assert journal.read() is None
    with pytest.raises(UsageError, match="No install"):
        journal.must_read()
    journal.write(RECORD)
    assert journal.read() == RECORD
    (tmp_path / "adopted" / "journal.json").write_text("{")
    with pytest.raises(StorageError, match="cannot be read"):
        journal.read()


@pytest.mark.parametrize("text", ["", "only@one.line\n", "a\nb\nc\n"])
def test_a_login_is_two_lines(tmp_path, text):
    file = tmp_path / "login"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="no login"):
        read_login(file)


def test_a_login_that_others_may_read_is_refused(tmp_path):
    file = tmp_path / "login"
    file.write_text("ann@example.com\npassword\n")
    file.chmod(0o644)
    with pytest.raises(AccessError):
        read_login(file)
    file.chmod(0o600)
    assert read_login(file) == "ann@example.com\npassword\n"


def test_an_inventory_of_another_host_or_another_pocketbase_is_refused(tmp_path, monkeypatch):
    (tmp_path / "app.tar.zst").write_text("not looked into here")
    settings = {
        "domains": ["apps.example.com"],
        "admin_email": "ann@example.com",
        "app": {"archive": str(tmp_path / "app.tar.zst")},
    }
    inventory = tmp_path / "x.py"
    inventory.write_text(f"hosts = [('web1', {{'tinykit': {settings!r}}})]\n")
    monkeypatch.setattr(beginning, "look_from_afar", lambda *_: with_units().facts())
    with pytest.raises(UsageError, match="no host web2"):
        begin(inventory, "web2", Answers())
    with pytest.raises(UsageError, match=r"0\.23\.4 runs there, and the inventory wants"):
        begin(inventory, "web1", Answers())
    settings["pocketbase"] = {"version": "0.23.4"}
    inventory = tmp_path / "y.py"  # pyinfra reads a file once
    inventory.write_text(f"hosts = [('web1', {{'tinykit': {settings!r}}})]\n")
    begun = begin(inventory, "web1", Answers())
    assert (begun.install.questions, begun.interrupted) == ((), False)
