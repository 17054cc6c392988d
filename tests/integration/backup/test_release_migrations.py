"""A release's migrations, tried with a real PocketBase on a copy of a live one's data."""

from __future__ import annotations

import pytest
from backup_kit import Instance
from pocketbase_kit import VERSIONS

from tinykit_ops.errors import UnavailableError
from tinykit_ops.upgrade.migrations import try_on_copy

ADDS = """migrate((app) => {
  const notes = app.findCollectionByNameOrId("notes")
  notes.fields.add(new TextField({ name: "added" }))
  app.save(notes)
})
"""
FAILS = """migrate((app) => { throw new Error("this data does not fit") })\n"""


@pytest.fixture(params=VERSIONS)
def version(request) -> str:
    return str(request.param)


@pytest.fixture
def release(instance: Instance, tmp_path):
    folder = tmp_path / "pb_migrations"
    folder.mkdir()
    instance.write_config()

    def give(text: str):
        (folder / "1999999999_new.js").write_text(text)
        try_on_copy(instance.config(), folder, instance.places)

    return give


def fields(instance: Instance) -> set[str]:
    (notes,) = (each for each in instance.server.pb.collections() if each["name"] == "notes")
    return {field["name"] for field in notes["fields"]}


def test_those_that_work_are_found_to_and_the_live_data_stays_as_it_is(instance, release):
    before = fields(instance)
    release(ADDS)
    assert fields(instance) == before
    assert not list(instance.places.snapshots.glob("*.db"))


def test_those_that_do_not_fit_the_data_are_told_with_their_own_words(instance, release):
    with pytest.raises(UnavailableError, match="this data does not fit") as told:
        release(FAILS)
    assert "nothing was changed" in told.value.hint
    assert instance.server.pb.count("notes") == 4
