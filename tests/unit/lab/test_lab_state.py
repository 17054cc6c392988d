import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tinykit_ops.lab import state as notes
from tinykit_ops.lab.errors import LabNotFoundError, LabStateError
from tinykit_ops.lab.state import HostState, LabState

STATE = LabState(
    name="demo",
    network4="10.118.0.0/24",
    network6="fd00:1::/64",
    outside4="10.118.1.0/24",
    outside6="fd00:2::/64",
    s3=True,
    hosts=[HostState("tk-1", 1, "trixie", "trixie-abc", "10.118.0.11", "fd00:1::b")],
)


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    notes.save(tmp_path, STATE)
    assert notes.load(tmp_path) == STATE


def test_the_notes_are_for_root_only_and_leave_no_partial_file(tmp_path: Path) -> None:
    notes.save(tmp_path, STATE)
    notes.save(tmp_path, replace(STATE, s3=False))
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_a_lab_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabNotFoundError, match="no lab 'gone'") as caught:
        notes.load(tmp_path / "gone")
    assert "lab list" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"hosts": 3}', '{"hosts": [{"name": "x"}]}', "\x00\x01"],
)
def test_broken_notes_say_how_to_start_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(LabStateError) as caught:
        notes.load(tmp_path)
    assert "lab down" in caught.value.hint


def test_notes_of_another_format_are_refused(tmp_path: Path) -> None:
    notes.save(tmp_path, STATE)
    raw = json.loads((tmp_path / "state.json").read_text())
    (tmp_path / "state.json").write_text(json.dumps({**raw, "format": 99}))
    with pytest.raises(LabStateError, match="another version"):
        notes.load(tmp_path)
