"""A host's part in a move, with a real PocketBase: closed, opened, left, received."""

from types import SimpleNamespace

import pytest

from tinykit_ops import layout
from tinykit_ops.errors import BusyError, UnavailableError, UsageError
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.migrate.here import Files, Here
from tinykit_ops.pocketbase.errors import PocketBaseError
from tinykit_ops.settings import load_settings

SECRETS = {layout.SUPERUSER_PASSWORD: "superuser-password", layout.ADMIN_PASSWORD: "first-password"}
SETTINGS = load_settings(
    {
        "domains": ["apps.example.com"],
        "admin_email": "admin@example.com",
        "app": {"archive": "https://example.com/t.tar.zst", "sha256": "0" * 64},
    },
    where="test",
)
PROJECT = {"name": "mine", "kit": "default"}


@pytest.fixture
def claimed(instance):
    instance.make_superuser(SECRETS[layout.SUPERUSER_PASSWORD])
    instance.start()
    ClaimStep(SETTINGS, SECRETS.__getitem__, instance.url).apply()
    with as_superuser(SETTINGS, SECRETS.__getitem__, instance.url) as pocketbase:
        yield pocketbase


@pytest.fixture
def files(instance, tmp_path):
    schedule = tmp_path / "cron"
    schedule.touch()
    # The hook looks beside the data folder.
    return Files(tmp_path / "noted", instance.folder / "moved", tmp_path / "arriving", (schedule,))


@pytest.fixture
def here(claimed, files):
    config = SimpleNamespace(settings=SETTINGS, secret=SECRETS.__getitem__)
    return Here(config, files, claimed.url, restart=lambda: None)


def test_a_closed_instance_refuses_writes_until_it_is_opened_again(here, claimed):
    claimed.create_record("_tk_projects", PROJECT)
    here.close("new")
    assert here.state().moved_to == "new"
    assert here.state().projects == 1
    with pytest.raises(PocketBaseError, match="is being moved"):
        claimed.create_record("_tk_projects", PROJECT)
    here.open()
    claimed.create_record("_tk_projects", PROJECT)
    assert here.state().moved_to == ""


def test_an_instance_whose_hooks_do_not_refuse_is_not_called_closed(here, claimed, files, tmp_path):
    elsewhere = Files(files.moved, tmp_path / "nobody-looks", files.arriving, files.schedules)
    here = Here(here._config, elsewhere, claimed.url, restart=lambda: None)
    with pytest.raises(UnavailableError, match="to a write, although this instance is closed"):
        here.close("new")
    assert here.state().moved_to == ""
    assert claimed.count("_tk_projects") == 0, "the look wrote something"


def test_an_instance_moves_to_one_host_at_a_time(here):
    here.close("new")
    here.close("new")
    with pytest.raises(UsageError, match="moves to new already"):
        here.close("other")
    assert here.state().moved_to == "new"


def test_a_host_that_was_left_does_nothing_by_a_schedule_and_may_get_its_instance_back(here, files):
    with pytest.raises(UsageError, match="has not moved"):
        here.leave()
    here.close("new")
    here.leave()
    assert not files.schedules[0].exists()
    with pytest.raises(UsageError, match="has moved to new"):
        here.receive("third")
    here.receive("new")
    state = here.state()
    assert (state.moved_to, state.comes_from, state.arrived) == ("", "new", False)


def test_a_copy_whose_instance_does_not_come_does_nothing_by_a_schedule(here, files):
    here.forget()
    assert files.schedules[0].exists(), "nothing was arriving: it is a host of its own"
    here.receive("old")
    here.forget()
    assert not files.schedules[0].exists()
    assert here.state().comes_from == ""


def test_one_instance_arrives_at_a_time_and_another_only_after_it(here, files):
    here.receive("old")
    here.receive("old")
    with pytest.raises(BusyError, match="arriving here from old"):
        here.receive("third")
    here.arrive()
    assert here.state().arrived
    here.forget()
    assert here.state().comes_from == "old", "what has arrived is not forgotten"
    assert files.schedules[0].exists()
