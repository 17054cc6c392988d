"""Replacing the server: at every moment somebody serves who is well, wherever the run ends."""

import pytest

from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.host.release_store import ReleaseStore
from tinykit_ops.host.serve_step import ServeStep
from tinykit_ops.upgrade.migrations import Migrations

OLD, NEW = "aaaa1111", "bbbb2222"


class Cut(BaseException):
    """The power, or a signal that nobody catches."""


class World:
    """A host: two units, a flag, and what was seen of them at each event."""

    def __init__(self, home):
        self.flag = home / "serves"
        self.store = ReleaseStore(home)
        self.sick = set()  # releases that are not well
        self.events = []
        self.cut_at = None
        self.server = FakeUnit(self, "server", "current")
        self.standby = FakeUnit(self, "standby", "standby")
        self.database = FakeUnit(self, "database", "migrations/current")
        self.database.up = True
        self.agents = []
        self.unfit = False  # new migrations do not work, as a copy of the data shows

    def tried(self, migrations):
        self.happened("tried on a copy")
        if self.unfit:
            raise UnavailableError(f"{migrations} do not work")

    def step(self, release=NEW, prepare=lambda: None):
        return ServeStep(
            release,
            lambda: self.agents.pop(0) if self.agents else [],
            migrate=Migrations(self.store, self.database, self.tried, self.happened).give,
            store=self.store,
            server=self.server,
            standby=self.standby,
            flag=self.flag,
            prepare=prepare,
            tidy=lambda: self.happened("tidy"),
            judged=self.judged,
            say=self.happened,
            sleep=lambda _: None,
        )

    def judged(self, unit, url, seconds):
        self.happened(f"judge {unit.name}")
        if not unit.up or unit.runs in self.sick:
            raise UnavailableError(f"{unit.name} is not well")

    def happened(self, what):
        """Every event is a moment at which a visitor could come, and the power could go."""
        self.events.append((what, self.serves()))
        if self.cut_at is not None and len(self.events) > self.cut_at:
            raise Cut

    def serves(self):
        """The release that a visitor gets, or None when nobody answers."""
        unit = self.standby if self.flag.exists() else self.server
        return unit.runs if unit.up else None

    def provisioned(self):
        for release in (OLD, NEW):
            folder = self.store.folder / release / "pocketbase/pb_migrations"
            folder.mkdir(parents=True)
            (folder / "1.js").write_text("same")
        self.store.adopt_migrations(OLD)
        self.store.make_current(OLD)
        self.step(OLD).apply()
        self.events.clear()
        return self


class FakeUnit:
    def __init__(self, world, name, link):
        self.world, self.name, self.link = world, name, link
        self.up, self.runs, self.stale = False, "", False
        self.starts = 0
        self.fails = 0  # the next so many starts

    def faults(self):
        return (["down"] if not self.up else []) + (["stale"] if self.stale else [])

    def is_active(self):
        return self.up

    def start(self):
        self.up, self.stale = False, False
        self.world.happened(f"{self.name} is down")
        self.runs = (self.world.store.home / self.link).readlink().name
        self.starts += 1
        self.fails, failed = max(0, self.fails - 1), self.fails > 0
        if failed or f"dead {self.runs}" in self.world.sick:
            raise UnavailableError(f"{self.name} did not start")
        self.up = True
        self.world.happened(f"{self.name} is up")

    def stop(self):
        self.up = False
        self.world.happened(f"{self.name} is down")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path).provisioned()


def test_a_bare_host_starts_its_server_and_no_standby(tmp_path):
    world = World(tmp_path).provisioned()
    assert world.serves() == OLD
    assert world.standby.starts == 0
    assert world.step(OLD).pending() == []


def test_another_release_serves_and_nobody_was_ever_without_one(world):
    step = world.step()
    assert step.pending() == [f"serve release {NEW}"]
    step.apply()
    assert {serving for _, serving in world.events} == {OLD, NEW}
    assert world.serves() == NEW
    assert (world.server.up, world.standby.up, world.flag.exists()) == (True, False, False)
    assert step.pending() == []


def test_what_a_release_runs_in_is_there_before_anything_starts_and_old_ones_go_at_the_end(world):
    def unable():
        raise UnavailableError("no room for an image")

    with pytest.raises(UnavailableError, match="no room"):
        world.step(prepare=unable).apply()
    assert (world.events, world.serves()) == ([], OLD)
    world.step(prepare=lambda: world.happened("prepare")).apply()
    assert next(what for what, _ in world.events) == "prepare"
    assert [what for what, _ in world.events][-1] == "tidy"


def test_a_release_that_is_not_well_never_gets_a_visitor(world):
    world.sick = {NEW}
    with pytest.raises(UnavailableError):
        world.step().apply()
    assert {serving for _, serving in world.events} == {OLD}
    assert world.server.starts == 1  # it was never stopped
    assert (world.standby.up, world.flag.exists()) == (False, False)
    assert world.store.current() == OLD
    assert world.step(OLD).pending() == []


def test_a_release_that_does_not_start_never_gets_a_visitor(world):
    world.sick = {f"dead {NEW}"}
    with pytest.raises(UnavailableError):
        world.step().apply()
    assert {serving for _, serving in world.events} == {OLD}
    assert world.server.starts == 1


def test_cut_at_any_moment_somebody_serves_and_the_next_run_converges(tmp_path):
    whole = World(tmp_path / "whole").provisioned()
    whole.step().apply()
    for moment in range(len(whole.events)):
        world = World(tmp_path / str(moment)).provisioned()
        world.cut_at = moment
        with pytest.raises(Cut):
            world.step().apply()
        seen = {serving for _, serving in world.events}
        # A unit that was being replaced comes up by itself; visitors were not on it.
        assert None not in seen, (moment, world.events)
        world.cut_at = None
        world.step().apply()
        assert None not in {serving for _, serving in world.events}, (moment, world.events)
        assert (world.serves(), world.step().pending()) == (NEW, [])
        assert not world.standby.up


def test_cut_while_the_standby_serves_it_is_not_touched_by_the_next_run(world):
    world.cut_at = next(
        number
        for number, (what, _) in enumerate(_events_of_a_whole_run(world))
        if what == "the standby serves"
    )
    with pytest.raises(Cut):
        world.step().apply()
    world.cut_at = None
    starts = world.standby.starts
    world.step().apply()
    assert world.standby.starts == starts


def _events_of_a_whole_run(world):
    twin = World(world.store.home / "twin").provisioned()
    twin.step().apply()
    return twin.events


def test_after_a_reboot_in_the_middle_the_server_serves_and_the_next_run_goes_on(world):
    world.cut_at = 8
    with pytest.raises(Cut):
        world.step().apply()
    world.cut_at = None
    world.flag.unlink(missing_ok=True)  # in /run, as the standby's process
    world.standby.up = False
    world.server.start()
    assert world.serves() in (OLD, NEW)
    world.step().apply()
    assert (world.serves(), world.step().pending()) == (NEW, [])


def test_a_server_with_former_files_is_replaced_without_a_gap_too(world):
    world.server.stale = True
    step = world.step(OLD)
    assert step.pending() == ["stale"]
    step.apply()
    assert {serving for _, serving in world.events} == {OLD}
    assert step.pending() == []


def with_more_migrations(world):
    folder = world.store.folder / NEW / "pocketbase/pb_migrations"
    (folder / "2.js").write_text("more")
    return world


def test_equal_migrations_leave_pocketbase_alone(world):
    world.step().apply()
    assert world.database.starts == 0


def test_other_migrations_are_tried_on_a_copy_before_pocketbase_restarts_with_them(world):
    with_more_migrations(world).step().apply()
    said = [what for what, _ in world.events]
    assert said.index("tried on a copy") < said.index("database is down")
    assert world.database.starts == 1
    assert world.store.has_migrations_of(NEW)
    assert world.serves() == NEW


def test_migrations_that_fail_on_a_copy_touch_nothing(world):
    with_more_migrations(world).unfit = True
    with pytest.raises(UnavailableError, match="do not work"):
        world.step().apply()
    assert (world.database.starts, world.standby.starts, world.serves()) == (0, 0, OLD)
    assert world.store.has_migrations_of(OLD)


def test_migrations_that_fail_only_live_are_taken_back_and_the_old_release_serves(world):
    with_more_migrations(world)
    world.database.fails = 1
    with pytest.raises(UnavailableError, match="runs with those from before: database did not"):
        world.step().apply()
    assert (world.database.up, world.standby.starts, world.serves()) == (True, 0, OLD)
    assert world.store.has_migrations_of(OLD)


def test_a_run_that_ends_before_pocketbase_restarts_is_made_up_for_by_the_next(world):
    with_more_migrations(world).store.adopt_migrations(NEW)
    world.database.stale = True
    world.step().apply()
    assert world.database.starts == 1
    assert not world.database.stale


def test_a_pocketbase_that_is_down_gets_the_migrations_without_a_trial(world):
    with_more_migrations(world).database.up = False
    world.step().apply()
    assert "tried on a copy" not in [what for what, _ in world.events]
    assert world.store.has_migrations_of(NEW)


def test_running_agents_are_waited_for_and_named(world):
    world.agents = [["Shop"], ["Shop"], []]
    world.step().apply()
    said = [what for what, _ in world.events]
    assert said.count("waiting for the agent of Shop") == 1
    assert said.index("waiting for the agent of Shop") < said.index("server is down")


def test_a_release_that_is_not_on_the_host_is_refused_and_nothing_happens(world):
    with pytest.raises(UsageError, match="no release"):
        world.step("cccc").apply()
    assert world.events == []
