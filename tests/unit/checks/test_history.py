"""The history: one line a look, bounded, root's alone, and readable when a line is damaged."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tinykit_ops.checks.history import KEEP, Night, append_history, last_nights, read_history
from tinykit_ops.checks.model import Outcome, Severity
from tinykit_ops.cli import run
from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.report.history import SCHEMA, history_text

FIRST = datetime(2026, 11, 1, 4, 41, tzinfo=UTC)
Capture = pytest.CaptureFixture[str]


def night(number: int, *findings: str, target: str = "tk-1", **more: tuple[str, ...]) -> Night:
    counts = dict.fromkeys(Outcome, 0) | {Outcome.PASS: 17, Outcome.FAIL: len(findings)}
    severities = dict.fromkeys(findings, Severity.HIGH)
    when = FIRST + timedelta(days=number)
    return Night(when, target, "0.1.0", 1.5, counts, severities, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def test_a_look_survives_the_way_through_the_file(path: Path) -> None:
    mine = night(1, "https.hsts", new=("https.hsts",), fixed=("a.b",), untold=("https.hsts",))
    append_history(path, [mine])
    assert read_history(path).nights == [mine]


def test_the_file_is_for_its_owner_alone_and_leaves_nothing_beside_it(path: Path) -> None:
    append_history(path, [night(1)])
    append_history(path, [night(2)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_the_oldest_go_and_the_newest_stay(path: Path) -> None:
    append_history(path, [night(number) for number in range(KEEP + 5)])
    append_history(path, [night(KEEP + 5)])
    kept = read_history(path).nights
    assert len(kept) == KEEP
    assert kept[-1] == night(KEEP + 5)
    assert kept[0] == night(6)


@pytest.mark.parametrize(
    "line",
    ["{", "null", "[]", "{}", '{"time": "x"}', "\0", "[" * 5000, '{"time": "2026-11-01"}'],
)
def test_a_damaged_line_is_left_out_and_told(path: Path, line: str) -> None:
    append_history(path, [night(1)])
    with path.open("a") as file:
        file.write(f"{line}\n")
    found = read_history(path)
    assert (len(found.nights), found.damaged) == (1, 1)
    assert "1 damaged line" in history_text(found)


def test_what_is_no_text_is_damaged_too(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\n")
    assert read_history(path).damaged == 1


def test_the_trend_is_told_in_words(path: Path) -> None:
    append_history(path, [night(0, "a.b", "c.d", new=("a.b", "c.d")), night(1, "c.d")])
    shown = history_text(read_history(path))
    assert "tk-1\n" in shown
    assert "2026-11-01 04:41" in shown
    assert "findings: 2 → 1 in 2 looks since 2026-11-01, at most 2; now: c.d (high)" in shown


def test_many_ids_are_cut_and_counted(path: Path) -> None:
    ids = tuple(f"area.check-{number}" for number in range(9))
    append_history(path, [night(0, new=ids)])
    assert "and 6 more" in " ".join(history_text(read_history(path), 200).split())


def test_text_in_a_history_cannot_steer_the_terminal(path: Path) -> None:
    append_history(path, [night(0, "\x1b[31mx", target="\x1b[2J[bold]tk", new=("\x9b31m",))])
    shown = history_text(read_history(path))
    assert all(each.isprintable() or each == "\n" for each in shown)
    assert "[bold]tk" in shown


def test_each_instance_has_its_table(path: Path) -> None:
    append_history(path, [night(0), night(0, target="tk-2"), night(1)])
    assert history_text(read_history(path)).count("time (UTC)") == 2


def test_the_command_shows_a_table_and_json(path: Path, capsys: Capture) -> None:
    append_history(path, [night(number, "a.b") for number in range(5)])
    assert run(["check", "history", f"--file={path}", "--last=2"]) == Exit.OK
    out = capsys.readouterr().out
    assert "2026-11-05" in out
    assert "2026-11-03" not in out
    assert run(["check", "history", f"--file={path}", "--format=json"]) == Exit.OK
    data = json.loads(capsys.readouterr().out)
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(data)
    assert len(data["nights"]) == 5
    assert data["nights"][0]["findings"] == {"a.b": "high"}


def test_without_a_history_the_hint_says_where_it_comes_from(path: Path, capsys: Capture) -> None:
    with pytest.raises(UsageError):
        last_nights(path, 5)
    assert run(["check", "history", f"--file={path}"]) == Exit.USAGE
    assert "check scheduled" in capsys.readouterr().err
