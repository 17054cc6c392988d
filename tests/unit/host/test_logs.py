"""The journal of an instance under names that people use."""

import json
import os

import pytest

from tinykit_ops.errors import UsageError
from tinykit_ops.host import logs
from tinykit_ops.host.logs import Sources, Wanted, show


def row(message, **fields):
    entry = {"__REALTIME_TIMESTAMP": "1795836100000000", "__CURSOR": "c1", "MESSAGE": message}
    return json.dumps({**entry, **fields})


def test_a_line_says_when_who_and_what(make_settings):
    line = Sources(make_settings()).line_of(row("hello", _SYSTEMD_UNIT="pocketbase.service"))
    assert line == "2026-11-28 03:21:40 pocketbase hello"


def test_what_systemd_says_of_a_unit_belongs_to_it(make_settings):
    told = row("Started.", UNIT="nginx.service", _SYSTEMD_UNIT="init.scope", _PID="1")
    assert "edge" in Sources(make_settings(edge={"kind": "nginx"})).line_of(told)


def test_no_program_can_speak_in_the_name_of_another(make_settings):
    sources = Sources(make_settings())
    forged = row("all is well", UNIT="pocketbase.service", _SYSTEMD_UNIT="tinykit.service")
    assert "tinykit    all is well" in sources.line_of(forged)
    words = " ".join(sources.matches())
    assert "UNIT=pocketbase.service _PID=1 +" in words
    assert words.endswith("SYSLOG_IDENTIFIER=tinykit-ops _UID=0")


def test_who_says_several_things_at_once_does_not_end_the_command(make_settings):
    odd = row(["one", [116, 255], None], UNIT=["a", "b"], _SYSTEMD_UNIT="tinykit.service")
    assert Sources(make_settings()).line_of(odd).endswith("tinykit    one t� (too long)")


def test_backups_and_checks_share_a_tag_and_are_told_apart(make_settings):
    backup = row("took 3 s", SYSLOG_IDENTIFIER="tinykit-ops", _SYSTEMD_UNIT="cron.service")
    check = row("check: all passed", SYSLOG_IDENTIFIER="tinykit-ops", _SYSTEMD_UNIT="cron.service")
    only = Sources(make_settings(), ["checks"])
    assert only.line_of(backup) == ""
    assert "checks     check: all passed" in only.line_of(check)
    assert "backups    took 3 s" in Sources(make_settings()).line_of(backup)


def test_control_characters_and_broken_rows_do_no_harm(make_settings):
    sources = Sources(make_settings())
    line = sources.line_of(row("a\x1b[2Jb", _SYSTEMD_UNIT="tinykit.service"))
    assert "\x1b" not in line
    binary = row([97, 255], _SYSTEMD_UNIT="tinykit.service")
    assert sources.line_of(binary).endswith("a�")
    assert [sources.line_of(bad) for bad in ("", "{", "[]", "{}")] == [""] * 4


def test_only_the_newest_lines_that_match_are_shown_and_masked(make_settings, monkeypatch):
    said = [row(f"request {n} of secret", _SYSTEMD_UNIT="tinykit.service") for n in range(30)]
    monkeypatch.setattr(logs, "_all_of", lambda _: iter(said))
    shown = []
    wanted = Wanted(lines=2, grep=r"request \d of \*\*\*")
    show(wanted, make_settings(), lambda line: line.replace("secret", "***"), shown.append)
    assert [line.split()[-3] for line in shown] == ["8", "9"]


def test_a_broken_expression_is_told(make_settings):
    with pytest.raises(UsageError, match="no regular expression"):
        show(Wanted(grep="("), make_settings(), str, print)


def test_following_ends_when_nobody_reads_any_more():
    reader, out = os.pipe()
    source, writer = os.pipe()
    os.write(writer, b"one\ntwo\nhalf")
    with os.fdopen(source, "rb") as lines, os.fdopen(writer, "wb"):
        following = logs._lines_while_read(lines, out)
        assert [next(following), next(following)] == ["one", "two"]
        os.close(reader)
        assert list(following) == []
    os.close(out)
