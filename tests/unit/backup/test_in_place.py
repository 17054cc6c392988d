"""Two commands restore over the same data: what one was cut off at, the other leaves alone."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tinykit_ops.backup import in_place
from tinykit_ops.backup.in_place import InPlace, unfinished
from tinykit_ops.backup.in_place_journal import GOING_BACK, RESTORE
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.restore import DATA
from tinykit_ops.errors import UsageError

SNAPSHOT = "20261128T040000Z-ab12"
BOTH = [(RESTORE, GOING_BACK), (GOING_BACK, RESTORE)]


class PowerCut(BaseException):
    """Nothing of the run happens any more."""


class Programs:
    """Services; with `cut` the power goes when they start."""

    def __init__(self, cut=False):
        self.cut = cut

    def stop(self):
        pass

    def start(self, rows):
        if self.cut:
            raise PowerCut


@pytest.fixture
def places(tmp_path, monkeypatch):
    data = tmp_path / "pocketbase" / "pb_data"
    data.mkdir(parents=True)
    (data / "data.db").write_text("live")

    def restore(_target, _snapshot, to, _identities):
        (to / DATA).mkdir(parents=True)
        (to / DATA / "data.db").write_text("restored")

    monkeypatch.setattr(in_place, "restore", restore)
    return replace(Places(), data=data, state=tmp_path / "state" / "backup")


@pytest.fixture
def cut_off(places, monkeypatch):
    """cut_off(by): the power goes when the restored data is to serve."""

    def run(by):
        restoring = InPlace(places, Programs(cut=True), by)
        monkeypatch.setattr(restoring, "check", lambda *_: SimpleNamespace(rows={}))
        monkeypatch.setattr(restoring, "_return", lambda _: None)
        with pytest.raises(PowerCut):
            restoring.run(None, SNAPSHOT, [], None, lambda _: None)

    return run


def contents(places):
    found = places.data.parent.rglob("data.db")
    return {str(path.relative_to(places.data.parent)): path.read_text() for path in found}


@pytest.mark.parametrize(("first", "second"), BOTH)
def test_what_another_command_was_cut_off_at_is_not_touched(places, cut_off, first, second):
    cut_off(first)
    before = contents(places)
    assert sorted(before.values()) == ["live", "restored"]
    other = InPlace(places, Programs(), second)
    for refused in (
        lambda: other.recover(lambda _: None),
        lambda: other.run(None, SNAPSHOT, [], None, lambda _: None),
        lambda: other.check(None, SNAPSHOT, []),
    ):
        with pytest.raises(UsageError, match="cut off") as told:
            refused()
        assert first in f"{told.value.what}{told.value.hint}"
    assert not other.interrupted()
    assert contents(places) == before
    InPlace(places, Programs(), first).recover(lambda _: None)
    assert places.data.joinpath("data.db").read_text() == "live"
    other.recover(lambda _: None)
    assert contents(places)["pb_data/data.db"] == "live"


@pytest.mark.parametrize("by", [RESTORE, GOING_BACK])
def test_it_is_told_which_command_was_cut_off_and_what_to_run(places, cut_off, by):
    assert unfinished(places) == ""
    cut_off(by)
    assert SNAPSHOT in unfinished(places)
    assert by in unfinished(places)
    InPlace(places, Programs(), by).recover(lambda _: None)
    assert unfinished(places) == ""


def test_going_back_that_an_older_agent_was_cut_off_at_is_known_and_finished(places, cut_off):
    cut_off(GOING_BACK)
    noted = places.state / "restore.json"
    former = places.state.with_name("pocketbase-upgrades") / "state" / "restore.json"
    former.parent.mkdir(parents=True)
    told = json.loads(noted.read_text())
    former.write_text(json.dumps({name: told[name] for name in ("snapshot", "old", "is_back")}))
    noted.unlink()
    with pytest.raises(UsageError, match="pocketbase-rollback"):
        InPlace(places, Programs()).recover(lambda _: None)
    InPlace(places, Programs(), GOING_BACK).recover(lambda _: None)
    assert places.data.joinpath("data.db").read_text() == "live"
    assert not former.exists()
    assert not noted.exists()
