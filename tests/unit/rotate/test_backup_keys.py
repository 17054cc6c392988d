"""Other keys for sealed backups: old snapshots are counted until none is left."""

from datetime import UTC, datetime

import pyrage
import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.manifest import moment
from tinykit_ops.errors import StorageError, UsageError
from tinykit_ops.rotate import backup_keys
from tinykit_ops.rotate.given import State

OLD, NEW = (str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))
BEFORE = datetime(2026, 11, 1, 3, tzinfo=UTC)
CHANGE = datetime(2026, 11, 2, 12, tzinfo=UTC)
AFTER = datetime(2026, 11, 3, 3, tzinfo=UTC)


class Bucket:
    """A target that holds snapshots, by their ids."""

    name = "offsite"

    def __init__(self):
        self.ids = [f"{moment(BEFORE)}-0f3a9c"]

    def list(self, prefix):
        class One:
            def __init__(self, key):
                self.key = key

        return [One(f"{prefix}{one}/index.json") for one in self.ids]


@pytest.fixture
def bucket():
    return Bucket()


@pytest.fixture
def rotate(make_settings, tmp_path, bucket):
    """Rotates a host whose target is sealed to some keys."""

    def run(*keys):
        target = {
            "kind": "directory",
            "name": "offsite",
            "path": "/mnt/backups",
            "encryption": list(keys) or "none",
        }
        config = AgentConfig(make_settings(backup={"targets": [target]}), tmp_path)
        found = backup_keys.rotate_backup_keys(
            config, tmp_path / "kept", lambda name: bucket, CHANGE
        )
        return found[0]

    return run


def test_keys_are_remembered_until_the_inventory_names_others(rotate):
    assert rotate(OLD).state is State.WAITING
    assert rotate(OLD).state is State.WAITING
    assert rotate(OLD, NEW).state is State.WAITING  # the old one still opens everything


def test_snapshots_from_before_are_counted_until_none_is_left(rotate, bucket):
    rotate(OLD)
    bucket.ids.append(f"{moment(AFTER)}-aaaaaa")
    left = rotate(NEW)
    assert left.state is State.LEFT
    assert "1 snapshot, the newest 20261101T030000Z-0f3a9c" in left.places[0]
    del bucket.ids[0]
    assert rotate(NEW).state is State.GONE


def test_a_rotation_that_is_done_begins_anew_with_the_new_keys(rotate, bucket):
    rotate(OLD)
    bucket.ids.clear()
    assert rotate(NEW).state is State.GONE
    assert rotate(NEW).state is State.WAITING


def test_backups_that_lie_open_have_no_keys(rotate):
    with pytest.raises(UsageError, match="no target of this host's backups is sealed"):
        rotate()


def test_a_note_that_cannot_be_read_says_where_it_is(rotate, tmp_path):
    rotate(OLD)
    (tmp_path / "kept/offsite.json").write_text("{")
    with pytest.raises(StorageError, match="cannot be read") as told:
        rotate(NEW)
    assert told.value.where.endswith("offsite.json")
