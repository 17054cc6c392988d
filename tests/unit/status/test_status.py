"""How a host is: what is fine, wrong and unseen, for one and for many."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.status import BackupStatus, TargetStatus
from tinykit_ops.errors import StorageError
from tinykit_ops.fleet.ask import Answer
from tinykit_ops.host.audit import Entry
from tinykit_ops.report.status import status_json, status_of, status_text
from tinykit_ops.status import look
from tinykit_ops.status.model import HostStatus, Level, Line, worst
from tinykit_ops.upgrade.journal import Journal, Upgrade

NOW = datetime(2026, 11, 28, 4, tzinfo=UTC)
FINE = Line("disk", Level.FINE, "10 %", "/ 10 % used")
TARGET = {
    "kind": "directory",
    "name": "disk",
    "path": "/srv/backups",
    "encryption": "none",
}


@pytest.fixture
def host(make_settings, monkeypatch):
    """host(**settings) → its lines by name; everything that is asked answers well."""
    ok = Line("x", Level.FINE, "", "")
    monkeypatch.setattr(look, "_active", lambda _: "active")
    monkeypatch.setattr(look, "is_loaded", lambda: True)
    monkeypatch.setattr(look, "health_line", lambda _: ok)
    monkeypatch.setattr(look, "certificate_line", lambda _: ok)
    monkeypatch.setattr(look, "versions_of", lambda _: {"agent": "1"})
    monkeypatch.setattr(look, "read_backups", BackupStatus)
    monkeypatch.setattr(look, "_usage", lambda: iter([("/", 12)]))
    monkeypatch.setattr(look.run_lock, "holder", lambda: None)
    monkeypatch.setattr(look.audit, "read", lambda: ([], 0))
    monkeypatch.setattr(look, "unfinished", lambda _: "")

    def lines(**settings):
        status = look.look(AgentConfig(make_settings(**settings)), NOW)
        return {line.name: line for line in status.lines}

    return lines


def test_a_unit_that_does_not_run_is_wrong_and_named(host, monkeypatch):
    monkeypatch.setattr(look, "_active", lambda unit: "failed" if "caddy" in unit else "active")
    line = host()["services"]
    assert (line.level, line.text) == (Level.WRONG, "edge is failed")


def test_a_firewall_that_somebody_flushed_is_wrong_though_its_unit_is_active(host, monkeypatch):
    monkeypatch.setattr(look, "is_loaded", lambda: False)
    line = host()["services"]
    assert (line.level, line.text) == (Level.WRONG, "firewall is flushed: nothing is closed")
    assert host(firewall={"enabled": False})["services"].level is Level.FINE


def test_a_host_without_a_backup_target_is_not_fine(host):
    assert host()["backup"].level is Level.WRONG


@pytest.mark.parametrize(
    ("hours", "level"), [(3, Level.FINE), (300, Level.WRONG)], ids=["fresh", "old"]
)
def test_the_age_of_the_last_backup_counts(host, monkeypatch, hours, level):
    then = NOW - timedelta(hours=hours)
    known = TargetStatus(first_success=then, last_success=then, last_verified=then, snapshot="s")
    monkeypatch.setattr(look, "read_backups", lambda: BackupStatus(targets={"disk": known}))
    lines = host(backup={"targets": [TARGET]})
    assert lines["backup"].level is level
    assert lines["verify"].short == ("3 h" if hours == 3 else "12 d")


def test_what_was_never_verified_is_not_called_fine(host):
    assert host(backup={"targets": [TARGET]})["verify"].level is Level.UNKNOWN


def test_what_cannot_be_read_is_unknown_and_the_rest_is_told(host, monkeypatch):
    def broken():
        raise StorageError("The backup status cannot be read")

    monkeypatch.setattr(look, "read_backups", broken)
    lines = host(backup={"targets": [TARGET]})
    assert (lines["backup"].level, lines["backup"].text) == (
        Level.UNKNOWN,
        "The backup status cannot be read",
    )
    assert lines["disk"].level is Level.FINE


def test_a_full_disk_is_wrong(host, monkeypatch):
    monkeypatch.setattr(look, "_usage", lambda: iter([("/", 12), ("/opt", 97)]))
    assert (host()["disk"].level, host()["disk"].short) == (Level.WRONG, "97 %")


def test_a_restore_that_was_cut_off_is_wrong_until_it_is_run_again(host, monkeypatch):
    fine = Entry("3", "2026", "me@laptop", "pyinfra", "ok")
    monkeypatch.setattr(look.audit, "read", lambda: ([fine], 0))
    monkeypatch.setattr(look, "unfinished", lambda _: "restoring was cut off")
    line = host()["changes"]
    assert (line.level, line.short) == (Level.WRONG, "interrupted")
    assert line.text == "restoring was cut off"
    monkeypatch.setattr(look.run_lock, "holder", lambda: {"what": "backup restore"})
    assert host()["changes"].level is Level.FINE, "it is at work"


def test_an_upgrade_of_pocketbase_that_was_cut_off_is_wrong(host, monkeypatch, tmp_path):
    monkeypatch.setattr(look.layout, "POCKETBASE_UPGRADES", str(tmp_path))
    assert host()["changes"].level is Level.FINE
    upgrade = Upgrade(before="0.23.4", after="0.40.6", snapshot="20261128T040000Z-abcdef")
    Journal(tmp_path).begin(upgrade)
    line = host()["changes"]
    assert (line.level, line.short) == (Level.WRONG, "interrupted")
    assert "0.23.4 by 0.40.6 was cut off" in line.text


def test_a_run_that_was_interrupted_is_wrong_until_the_next_one(host, monkeypatch):
    entry = Entry("1", "2026", "me@laptop", "pyinfra", "interrupted")
    monkeypatch.setattr(look.audit, "read", lambda: ([entry], 0))
    assert host()["changes"].level is Level.WRONG
    refused = Entry("2", "2026", "you@desk", "pyinfra", "refused")
    fine = Entry("3", "2026", "me@laptop", "pyinfra", "ok")
    monkeypatch.setattr(look.audit, "read", lambda: ([entry, fine, refused], 0))
    assert host()["changes"].level is Level.FINE


def test_without_a_nightly_check_findings_are_unknown(host, monkeypatch, tmp_path):
    monkeypatch.setattr(look, "CheckPlaces", lambda: SimpleNamespace(last=tmp_path / "none"))
    assert host()["checks"].level is Level.UNKNOWN


def test_wrong_counts_before_unknown_and_nothing_is_unknown():
    assert worst([Level.FINE, Level.UNKNOWN, Level.WRONG]) is Level.WRONG
    assert worst([Level.FINE, Level.UNKNOWN]) is Level.UNKNOWN
    assert worst([Level.FINE]) is Level.FINE
    assert worst([]) is Level.UNKNOWN


def answer(settings, **more):
    return Answer("web1", settings, **{"out": None, **more})


def test_an_agents_answer_becomes_a_row_under_the_inventorys_name(make_settings):
    said = status_json([HostStatus("its-own-name", (FINE,), {"agent": "1"})])
    read = status_of(answer(make_settings(), out=said, code=0))
    assert read == HostStatus("web1", (FINE,), {"agent": "1"})


@pytest.mark.parametrize(
    "said",
    [
        {"problem": "no connection to web1: timed out"},
        {"out": "", "err": "error: something", "code": 64},
        {"out": '{"hosts": []}', "code": 0},
        {"out": '{"hosts": [{"lines": 7, "versions": {}}]}', "code": 0},
        {"out": '{"hosts": [{"lines": [{"name": "a"}], "versions": []}]}', "code": 0},
    ],
)
def test_a_host_that_says_nothing_useful_is_an_unknown_row(make_settings, said):
    row = status_of(answer(make_settings(), **said))
    assert row.level is Level.UNKNOWN
    assert row.problem


def test_the_table_has_every_host_and_says_below_what_is_not_fine():
    bad = Line("backup", Level.WRONG, "never", "disk: no snapshot yet")
    hosts = [
        HostStatus("web1", (FINE,), {"tinykit": "abc"}),
        HostStatus("web2", (FINE, bad)),
        HostStatus("web3", problem="no connection to web3"),
    ]
    text = status_text(hosts)
    assert [name for name in ("web1", "web2", "web3") if name in text] == ["web1", "web2", "web3"]
    assert "! never" in text
    assert "web2: backup: disk: no snapshot yet" in text
    assert "web3: no connection to web3" in text
    assert [row["level"] for row in json.loads(status_json(hosts))["hosts"]] == [
        "fine",
        "wrong",
        "unknown",
    ]


def test_the_screen_of_one_host_has_a_line_for_everything():
    text = status_text([HostStatus("web1", (FINE,), {"tinykit": "abc", "proxy": "caddy 2"})])
    assert "web1: fine" in text
    assert "tinykit abc, proxy caddy 2" in text
    assert "/ 10 % used" in text
