"""A switch of PocketBase that a power cut ended: what people wrote since is never removed."""

import pytest

from tinykit_ops.errors import TinykitOpsError, UnavailableError
from tinykit_ops.host import versions as versions_module
from tinykit_ops.host.versions import Versions
from tinykit_ops.upgrade import data as data_module
from tinykit_ops.upgrade import journal as journal_module
from tinykit_ops.upgrade.data import KeptData
from tinykit_ops.upgrade.journal import Journal, Upgrade
from tinykit_ops.upgrade.switch import Switch

UPGRADE = Upgrade(before="0.23.4", after="0.40.6", snapshot="20261101T000000Z-abcdef")
NEXT = Upgrade(before="0.23.4", after="0.41.0", snapshot="20261201T000000Z-abcdef")


class PowerCut(BaseException):
    """Nothing of the run happens any more."""


class Host:
    """A host with one database, whose content says what happened to it."""

    def __init__(self, root, monkeypatch):
        self.monkeypatch = monkeypatch
        self.folder = root / "pb_data"
        self.folder.mkdir()
        self.database = self.folder / "data.db"
        self.database.write_text("november")
        (root / "opt").mkdir()
        self.versions = Versions(root / "opt", "pocketbase")
        self.versions.point(UPGRADE.before)
        self.journal = Journal(root / "journal")
        self.data = KeptData(self.folder, None)
        self.active = True
        self.login_works = True
        self.boots = 0
        self.boot()

    # As its program.
    def start(self):
        self.active = True
        self.database.touch()  # an empty one, where there is none

    def stop(self):
        self.active = False

    def is_active(self):
        return self.active

    def identity(self):
        return ("1", "0")

    def last_lines(self):
        return ""

    def judge(self):
        if not self.login_works:
            raise UnavailableError("PocketBase does not take the superuser's password")

    def switch(self):
        return Switch(
            self.versions, self, self.data, self.journal, self.judge, say=str, well_seconds=0
        )

    def boot(self):
        self.boots += 1
        boot = f"boot {self.boots}"
        self.monkeypatch.setattr(journal_module, "boot_id", lambda: boot)
        self.start()

    def cut_at(self, what, name):
        """The power goes when this is called, and nothing is undone."""

        def die(*_):
            raise PowerCut

        with self.monkeypatch.context() as patch, pytest.raises(PowerCut):
            patch.setattr(what, name, die)
            patch.setattr(Switch, "_back", lambda *_: None)
            self.switch().run(UPGRADE)

    def everything(self):
        return {path.read_text() for path in self.folder.parent.rglob("*.db")}


@pytest.fixture
def host(tmp_path, monkeypatch):
    return Host(tmp_path, monkeypatch)


def test_a_new_version_that_served_since_a_boot_stays_whatever_a_login_says_now(host):
    host.cut_at(host, "judge")
    host.boot()
    host.database.write_text("november, and three weeks of december")
    host.login_works = False
    host.active = False
    host.switch().settle()
    assert host.versions.current() == UPGRADE.after
    assert host.active
    assert host.database.read_text() == "november, and three weeks of december"
    assert host.journal.begun() is None
    assert host.journal.done() == UPGRADE


def test_a_new_version_that_is_not_well_in_the_same_boot_gives_way(host):
    host.cut_at(host, "judge")
    host.database.write_text("migrated")
    host.login_works = False
    host.switch().settle()
    assert host.versions.current() == UPGRADE.before
    assert host.database.read_text() == "november"
    assert host.journal.begun() is None


def test_going_back_that_was_cut_off_removes_nothing_that_was_written_since(host):
    host.login_works = False
    point = host.versions.point

    def die(version):
        if version == UPGRADE.before:
            raise PowerCut
        point(version)

    with host.monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(host.versions, "point", die)
        host.switch().run(UPGRADE)
    assert host.journal.begun().going_back
    host.boot()
    host.database.write_text("november, and a week of december")
    host.switch().settle()
    assert host.versions.current() == UPGRADE.before
    assert "november, and a week of december" in host.everything()


def test_what_failed_upgrades_left_stays_when_the_next_ones_come(host):
    host.login_works = False
    for made in ("by the first", "by the second"):
        host.monkeypatch.setattr(host, "start", lambda made=made: _starts(host, made))
        with pytest.raises(TinykitOpsError, match="serves again"):
            host.switch().run(UPGRADE)
    host.monkeypatch.setattr(host, "start", lambda: _starts(host, "by the third"))
    host.login_works = True
    host.switch().run(UPGRADE)
    assert host.everything() == {"by the first", "by the second", "by the third"}


def _starts(host, made):
    host.active = True
    if host.versions.current() == UPGRADE.after:
        host.database.write_text(made)


LINES = data_module._RETURN.splitlines(keepends=True)
#: Where it may be cut, and is still a script: not within a loop.
CUTS = [n for n, line in enumerate(LINES, 1) if not line.startswith("  ") and line[-4:] != " do\n"]


@pytest.mark.parametrize("number", CUTS)
def test_a_database_is_there_at_every_moment_of_going_back(host, number, monkeypatch):
    script = "".join(LINES[:number])
    host.data.keep()
    host.database.write_text("made by the new one")
    (host.folder / "data.db-wal").write_text("")
    (host.folder / "other.db").write_text("the new one's own")
    with monkeypatch.context() as patch:
        patch.setattr(data_module, "_RETURN", script)
        host.data.put_back()
    assert host.database.read_text() in {"made by the new one", "november"}
    assert {"made by the new one", "the new one's own", "november"} <= host.everything()
    host.data.put_back()
    assert {path.name for path in host.folder.iterdir()} == {"data.db"}
    assert host.database.read_text() == "november"
    assert {"made by the new one", "the new one's own"} <= host.everything()


def test_the_link_is_on_the_disk_before_the_new_version_starts(host, monkeypatch):
    flushed = []
    monkeypatch.setattr(
        versions_module,
        "sync_folder",
        lambda folder: flushed.append((folder, host.versions.current())),
    )
    host.versions.point(NEXT.after)
    assert flushed == [(host.versions.home, NEXT.after)]
