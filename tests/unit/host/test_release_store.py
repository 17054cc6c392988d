"""The releases on a host: which is which, found by commit, and kept in bounds."""

import json
import os

import pytest

from tinykit_ops.errors import UsageError
from tinykit_ops.host import release_store
from tinykit_ops.host.release_store import KEPT, ReleaseStore

IDS = ("aaaa1111", "bbbb2222", "cccc3333", "dddd4444", "eeee5555")


@pytest.fixture
def store(tmp_path):
    """Five releases, the first one unpacked first; two and three have other migrations than one."""
    for number, release in enumerate(IDS):
        folder = tmp_path / "releases" / release
        (folder / "pocketbase/pb_migrations").mkdir(parents=True)
        text = "first" if number == 0 else "second"
        (folder / "pocketbase/pb_migrations/1_a.js").write_text(text)
        told = {"app": "tinykit", "commit": f"{number}" * 40}
        (folder / "release.json").write_text(json.dumps(told))
        os.utime(folder, (1000 + number, 1000 + number))
    return ReleaseStore(tmp_path)


def test_the_newest_comes_first_with_its_commit_and_role(store):
    store.make_current(IDS[0])
    store.make_current(IDS[1])
    found = store.installed()
    assert [each.id for each in found] == list(reversed(IDS))
    assert {each.id: each.role for each in found if each.role} == {
        IDS[1]: "current",
        IDS[0]: "previous",
    }
    assert found[0].commit == "4" * 40


def test_the_same_release_again_does_not_forget_the_one_before(store):
    store.make_current(IDS[0])
    store.make_current(IDS[1])
    store.make_current(IDS[1])
    assert (store.current(), store.previous()) == (IDS[1], IDS[0])


def test_a_release_is_found_by_the_start_of_its_commit_or_id(store):
    assert store.find("2222").id == IDS[2]  # a commit
    assert store.find("cccc").id == IDS[2]


@pytest.mark.parametrize("word", ["", "ccc", "ffff", "cccc3333x"])
def test_what_names_no_release_is_refused(store, word):
    with pytest.raises(UsageError, match="No release"):
        store.find(word)


def test_a_word_that_could_be_two_is_refused(store):
    twin = store.folder / "cccc9999"
    twin.mkdir()
    with pytest.raises(UsageError, match="More than one"):
        store.find("cccc")


def test_prune_keeps_the_newest_the_current_and_the_one_before(store):
    store.make_current(IDS[1])
    store.make_current(IDS[0])
    assert store.prune(KEPT) == [IDS[3], IDS[2]]
    assert {each.id for each in store.installed()} == {IDS[0], IDS[1], IDS[4]}


def test_prune_never_takes_what_serves_or_what_one_could_go_back_to(store):
    store.make_current(IDS[0])
    store.make_current(IDS[1])
    store.point("standby", IDS[2])
    store.prune(1)
    assert {each.id for each in store.installed()} == set(IDS[:3])


def test_prune_clears_what_unpacking_left(store):
    (store.folder / ".ffff.unpacking/build").mkdir(parents=True)
    store.prune()
    assert not (store.folder / ".ffff.unpacking").exists()


def test_migrations_are_known_by_their_content(store):
    assert store.migrations_in_use() == ""
    store.adopt_migrations(IDS[0])
    first = store.migrations_in_use()
    store.adopt_migrations(IDS[1])
    second = store.migrations_in_use()
    store.adopt_migrations(IDS[2])  # with the same ones
    assert store.migrations_in_use() == second != first
    assert store.has_migrations_of(IDS[2]) and not store.has_migrations_of(IDS[0])
    assert (store.migrations / "current/1_a.js").read_text() == "second"


def test_migrations_are_on_the_disk_before_their_name_says_so(store, monkeypatch):
    flushed = []

    def flush(folder):
        flushed.append((folder.name, (folder / "1_a.js").read_text(), store.migrations_in_use()))

    monkeypatch.setattr(release_store, "flush_file_system", flush)
    store.adopt_migrations(IDS[0])
    assert flushed == [(f".{store.migrations_in_use()}.new", "first", "")]


def test_migrations_from_before_can_be_used_again_without_their_release(store):
    store.adopt_migrations(IDS[0])
    first = store.migrations_in_use()
    store.adopt_migrations(IDS[1])
    store.use_migrations(first)
    assert (store.migrations / "current/1_a.js").read_text() == "first"


def test_migrations_stay_when_their_release_goes(store):
    store.adopt_migrations(IDS[0])
    store.make_current(IDS[1])
    store.make_current(IDS[2])
    store.prune(1)
    assert (store.migrations / "current/1_a.js").read_text() == "first"


def test_a_release_that_tells_nothing_of_itself_is_still_listed(store):
    (store.folder / IDS[0] / "release.json").write_text("not json")
    assert store.installed()[-1].commit == ""
