"""A few backups of `scripts/soak backup-load`, and proof that its judge sees what is wrong."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from backup_kit import Instance, S3Server
from load_campaign import WRITES, LoadCampaign
from load_checks import judge_all, look_at
from pocketbase_kit import VERSIONS

WRITTEN = {0: 4, 1: 3}


@pytest.mark.parametrize("version", VERSIONS)
def test_backups_under_writing_hold_all_that_was_acknowledged_and_no_gap(
    instance: Instance, s3: S3Server
) -> None:
    load = LoadCampaign(instance, s3).run(2)
    assert load.faults == []
    assert len(load.copies) == 2 and load.beside == 1 and load.booted == 1
    assert load.acknowledged > load.copies[-1].count > load.copies[0].count


@pytest.fixture
def data(instance: Instance) -> Path:
    """A data folder as a restored one, with the writes of two writers."""
    instance.server.pb.call("POST", "/api/collections", json=WRITES)
    for writer, seq in [(0, 1), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3), (0, 4)]:
        instance.server.pb.create_record("writes", {"writer": writer, "seq": seq, "body": "b"})
    instance.server.stop()
    return instance.server.data


def change(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "data.db")) as database:
        database.execute(statement)
        database.commit()


def test_the_judge_is_content_with_a_whole_copy(data: Path) -> None:
    copy = look_at(data, WRITTEN, WRITTEN)
    assert copy.faults == [] and copy.count == 7
    assert judge_all(data, WRITTEN, [copy]) == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("DELETE FROM writes WHERE writer = 0 AND seq = 2", "a gap"),
        ("DELETE FROM writes WHERE writer = 1 AND seq = 3", "3 acknowledged, 2 inside"),
        ("UPDATE writes SET seq = 9 - seq WHERE writer = 0", "out of order"),
        ("UPDATE writes SET file = 'gone.bin' WHERE seq = 4", "gone.bin is missing"),
    ],
)
def test_the_judge_sees_a_copy_that_lacks_something(data: Path, harm: str, said: str) -> None:
    change(data, harm)
    assert any(said in fault for fault in look_at(data, WRITTEN, WRITTEN).faults)


def test_the_judge_sees_a_copy_in_another_order_and_a_lost_write(
    data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path / "other")
    change(tmp_path / "other", "UPDATE writes SET seq = 5 - seq, writer = 1 - writer")
    copy = look_at(tmp_path / "other", {}, WRITTEN)
    assert any("not the beginning" in fault for fault in judge_all(data, WRITTEN, [copy]))
    change(data, "DELETE FROM writes WHERE writer = 0 AND seq = 4")
    assert "acknowledged and lost: write 4 of writer 0" in judge_all(data, WRITTEN, [])
