"""Another PocketBase on the same data, and the way back, with two real versions of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from backup_kit import Instance
from pocketbase_kit import EMAIL, PASSWORD
from waiting import PATIENCE

from tinykit_ops.artifacts import local_binary
from tinykit_ops.backup.in_place import InPlace, unfinished
from tinykit_ops.errors import StorageError, UnavailableError, UsageError
from tinykit_ops.host.versions import Versions
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.upgrade.back import GoingBack
from tinykit_ops.upgrade.data import KeptData
from tinykit_ops.upgrade.journal import Journal, Upgrade
from tinykit_ops.upgrade.snapshots import Snapshots
from tinykit_ops.upgrade.step import PocketBaseStep
from tinykit_ops.upgrade.switch import Switch

OLD, NEW = "0.23.4", "0.40.6"
BEFORE = {"plain", "picture", "copy", "secret"}


@pytest.fixture
def version() -> str:
    return OLD


class _PowerCutError(BaseException):
    """Nothing of the run happens any more."""


@dataclass
class Program:
    """PocketBase without systemd: the binary that the link leads to."""

    instance: Instance
    die_at: str = ""
    calls: list[str] = field(default_factory=list)

    def start(self) -> None:
        self._note("start")
        server = self.instance.server
        try:
            server.start()
        except Exception as error:
            server.kill()
            raise UnavailableError(f"did not start: {server.log_text()[-200:]}") from error

    def stop(self) -> None:
        self._note("stop")
        self.instance.server.stop()

    def is_active(self) -> bool:
        process = self.instance.server.process
        return process is not None and process.poll() is None

    def identity(self) -> tuple[str, str]:
        process = self.instance.server.process
        return (str(process.pid), "0") if process else ("0", "0")

    def last_lines(self) -> str:
        return self.instance.server.log_text()[-200:]

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.die_at == call:
            self.die_at = ""
            raise _PowerCutError


class Host:
    """A host with PocketBase 0.23.4 in use, and 0.40.6 installed beside it."""

    def __init__(self, instance: Instance, root: Path) -> None:
        self.instance = instance
        self.versions = Versions(root / "pocketbase", "pocketbase")
        for version in (OLD, NEW):
            self.put_binary(version, local_binary("pocketbase", version))
        self.versions.point(OLD)
        instance.server.binary = self.versions.link / "pocketbase"
        object.__setattr__(instance.places, "pocketbase", instance.server.binary)
        instance.write_config()
        self.program = Program(instance)
        self.journal = Journal(root / "journal")
        self.data = KeptData(instance.places.data, None)
        self.snapshots = Snapshots(instance.config(), instance.places)
        self.said: list[str] = []
        self.back = GoingBack(self.versions, self.snapshots, self.journal, self)

    # As the services of a restore in place.
    def stop(self) -> None:
        self.program.stop()

    def start(self, rows: dict[str, int]) -> None:
        if not self.program.is_active():
            self.program.start()
        for name in rows.keys() & {"notes"}:
            assert self.instance.server.pb.count(name) == rows[name]

    def put_binary(self, version: str, source: Path) -> None:
        binary = self.versions.binary(version)
        binary.parent.mkdir(parents=True, exist_ok=True)
        binary.unlink(missing_ok=True)
        shutil.copyfile(source, binary)
        binary.chmod(0o755)

    def put_script(self, version: str, lines: str) -> None:
        """In place of a binary."""
        binary = self.versions.binary(version)
        binary.unlink(missing_ok=True)
        binary.write_text(f"#!/bin/sh\n{lines}\n")
        binary.chmod(0o755)

    def switch(self) -> Switch:
        return Switch(
            self.versions,
            self.program,
            self.data,
            self.journal,
            self.judge,
            say=self.said.append,
            well_seconds=0.5,
        )

    def step(self, wanted: str = NEW) -> PocketBaseStep:
        switch = self.switch()
        return PocketBaseStep(
            wanted,
            self.versions,
            self.instance.places.database,
            self.snapshots,
            switch,
            self.back,
            lambda upgrade: self.said.append(f"away for {switch.run(upgrade):.3f}"),
            self.said.append,
        )

    def titles(self) -> set[str]:
        return {row["title"] for row in self.instance.server.pb.records("notes")}

    def serves(self) -> str:
        """The version that answers."""
        binary = Path(f"/proc/{self.instance.server.process.pid}/exe").readlink()
        return binary.parent.name

    def judge(self) -> None:
        with PocketBase(self.instance.server.url) as server:
            server.wait_until_healthy(PATIENCE)
            server.login_superuser(EMAIL, PASSWORD)
            server.collections()


@pytest.fixture
def host(instance, tmp_path):
    one = Host(instance, tmp_path)
    instance.server.stop()
    instance.server.start()
    return one


def test_the_newer_version_serves_all_rows_and_a_second_run_has_nothing_to_do(host):
    assert host.step().pending() == [f"PocketBase {NEW} instead of {OLD}"]
    host.step().apply()
    assert host.serves() == NEW
    assert host.titles() == BEFORE
    assert host.step().pending() == []
    assert host.program.calls == ["stop", "start"]
    assert not host.data.kept.exists()


def test_a_version_that_does_not_work_on_a_copy_never_gets_the_data(host):
    host.put_script(NEW, "exit 3")
    with pytest.raises(UnavailableError, match="does not work on a copy"):
        host.step().apply()
    assert host.program.calls == []
    assert (host.serves(), host.titles()) == (OLD, BEFORE)


def upgrade_without_trial(host) -> None:
    snapshot = host.snapshots.take()
    host.switch().run(Upgrade(before=OLD, after=NEW, snapshot=snapshot))


def test_a_version_that_does_not_start_gives_way_to_the_old_one_and_its_data(host):
    host.put_script(NEW, f'echo broken > "{host.instance.places.data}/data.db"; exit 3')
    with pytest.raises(UnavailableError, match=f"{OLD} serves again"):
        upgrade_without_trial(host)
    assert (host.serves(), host.titles()) == (OLD, BEFORE)
    assert (host.data.failed / "data.db").read_text() == "broken\n"
    host.put_binary(NEW, local_binary("pocketbase", NEW))
    host.step().apply()
    assert (host.serves(), host.titles()) == (NEW, BEFORE)


def test_a_version_that_starts_and_then_dies_gives_way_to_the_old_one(host, monkeypatch):
    judge = host.judge

    def well_for_the_last_time() -> None:
        judge()
        if host.versions.current() == NEW:
            host.instance.server.kill()

    monkeypatch.setattr(host, "judge", well_for_the_last_time)
    with pytest.raises(UnavailableError, match=f"{OLD} serves again"):
        upgrade_without_trial(host)
    assert (host.serves(), host.titles()) == (OLD, BEFORE)


@pytest.mark.parametrize("moment", ["keep", "start"])
def test_after_a_power_cut_anywhere_the_next_run_ends_well(host, moment, monkeypatch):
    """The host boots with whatever version the link leads to, and people write to it."""
    cut = host.switch()
    monkeypatch.setattr(cut, "_back", lambda upgrade: None)  # nothing of it runs any more
    where = {"keep": host.data, "point": host.versions}.get(moment, host.program)

    def die(*_: object) -> None:
        raise _PowerCutError

    snapshot = host.snapshots.take()
    with monkeypatch.context() as patch, pytest.raises(_PowerCutError):
        patch.setattr(where, moment, die)
        cut.run(Upgrade(before=OLD, after=NEW, snapshot=snapshot))
    if not host.program.is_active():
        host.program.start()
    host.instance.server.pb.create_record("notes", {"title": "after the cut"})
    assert "finish what was interrupted" in host.step().pending()
    host.step().apply()
    assert (host.serves(), host.titles()) == (NEW, BEFORE | {"after the cut"})
    assert host.step().pending() == []


def test_an_older_version_is_refused_with_the_way_back(host):
    host.step().apply()
    with pytest.raises(UsageError, match="is older") as refused:
        host.step(OLD).apply()
    assert "pocketbase-rollback" in refused.value.hint
    assert (host.serves(), host.titles()) == (NEW, BEFORE)


def test_a_full_disk_stops_the_upgrade_before_anything_is_stopped(host, monkeypatch):
    real = shutil.disk_usage
    monkeypatch.setattr(
        "tinykit_ops.backup.room.shutil.disk_usage", lambda path: real(path)._replace(free=1000)
    )
    with pytest.raises(StorageError, match="Not enough room"):
        host.switch().run(Upgrade(before=OLD, after=NEW, snapshot=host.snapshots.take()))
    assert host.program.calls == []
    assert host.step().pending() == [f"PocketBase {NEW} instead of {OLD}"]


# Back ---------------------------------------------------------------------------------------------


@pytest.fixture
def upgraded(host):
    """An upgraded host, where a note came since, one is another now, and one went."""
    host.step().apply()
    pb = host.instance.server.pb
    pb.create_record("notes", {"title": "new"})
    by_title = {row["title"]: row["id"] for row in pb.records("notes")}
    pb.update_record("notes", by_title["plain"], {"title": "plainer"})
    pb.delete_record("notes", by_title["copy"])
    return host


def test_what_going_back_loses_is_counted_before_anything_is_changed(upgraded):
    loss = upgraded.back.loss(upgraded.back.check())
    assert [str(row) for row in loss.rows] == ["notes: 1 new, 1 changed, 1 gone"]
    assert upgraded.serves() == NEW


def test_going_back_brings_the_old_binary_and_its_data_and_keeps_the_newer(upgraded):
    upgrade = upgraded.back.check()
    loss = upgraded.back.loss(upgrade)
    done = upgraded.back.run(upgrade, upgraded.said.append)
    assert (upgraded.serves(), upgraded.titles()) == (OLD, BEFORE)
    assert (done.kept / "data.db").is_file()
    assert upgraded.snapshots.manifest(loss.now).pocketbase == NEW
    with pytest.raises(UsageError, match="No upgrade"):
        upgraded.back.check()
    upgraded.step().apply()
    assert (upgraded.serves(), upgraded.titles()) == (NEW, BEFORE)


def test_going_back_that_fails_leaves_the_newer_one_serving_its_data(upgraded):
    now = upgraded.titles()
    upgraded.put_script(OLD, "exit 3")
    upgrade = upgraded.back.check()
    with pytest.raises(UnavailableError, match="did not start"):
        upgraded.back.run(upgrade, upgraded.said.append)
    assert (upgraded.serves(), upgraded.titles()) == (NEW, now)
    assert upgraded.step().pending() == []


def test_going_back_that_was_interrupted_is_undone_by_the_next_deploy(upgraded, monkeypatch):
    now = upgraded.titles()
    upgrade = upgraded.back.check()
    upgraded.program.die_at = "start"
    with monkeypatch.context() as patch, pytest.raises(_PowerCutError):
        patch.setattr(InPlace, "_return", lambda *_: None)
        upgraded.back.run(upgrade, upgraded.said.append)
    assert upgraded.versions.current() == OLD
    assert "finish what was interrupted" in upgraded.step().pending()
    upgraded.step().apply()
    assert (upgraded.serves(), upgraded.titles()) == (NEW, now)


def test_a_look_at_what_going_back_would_lose_finishes_nothing(upgraded, monkeypatch):
    upgrade = upgraded.back.check()
    upgraded.program.die_at = "start"
    with monkeypatch.context() as patch, pytest.raises(_PowerCutError):
        patch.setattr(InPlace, "_return", lambda *_: None)
        upgraded.back.run(upgrade, upgraded.said.append)
    assert "pocketbase-rollback" in unfinished(upgraded.instance.places)
    before = sorted(upgraded.instance.places.data.parent.rglob("data.db"))
    with pytest.raises(UsageError, match="was cut off"):
        upgraded.back.refuse_unfinished()
    assert sorted(upgraded.instance.places.data.parent.rglob("data.db")) == before
    upgraded.back.recover(upgraded.said.append)
    upgraded.back.refuse_unfinished()


def test_only_the_snapshots_that_are_needed_stay(upgraded):
    upgrade = upgraded.back.check()
    for _ in range(2):
        upgraded.back.loss(upgrade)
    kept = [path.name for path in upgraded.snapshots.folder.iterdir() if path.name[:2] == "20"]
    assert len(kept) == 2
    assert upgrade.snapshot in kept


def test_nobody_but_root_can_read_the_snapshots(upgraded):
    assert upgraded.snapshots.folder.stat().st_mode & 0o077 == 0
