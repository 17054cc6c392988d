"""Giving PocketBase a release's migrations: tried on a copy of the data first, taken back when
PocketBase does not start with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.boot import boot_copy
from tinykit_ops.backup.boot_part import HOOKS, MIGRATIONS
from tinykit_ops.backup.copy_folder import copy_folder
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.restore import DATA
from tinykit_ops.backup.snapshot import consistent_copy
from tinykit_ops.backup.verify import room
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.release_store import ReleaseStore
from tinykit_ops.host.units import Unit


class Migrations:
    """What makes PocketBase's migrations those of a release.

    Args:
        database: PocketBase's unit, stale when its migrations are newer than its start.
        tried: raises when PocketBase does not work with a folder of migrations.
        say: takes a line of progress.
    """

    def __init__(
        self,
        store: ReleaseStore,
        database: Unit,
        tried: Callable[[Path], None],
        say: Callable[[str], None] = print,
    ) -> None:
        self._store = store
        self._database = database
        self._tried = tried
        self._say = say

    def give(self, release: str) -> None:
        """PocketBase runs with those of this release; equal ones change nothing.

        Raises:
            UnavailableError: they do not work. PocketBase runs with those from before.
        """
        if not self._database.is_active():
            self._store.adopt_migrations(release)  # nobody is served, so nobody has to be spared
        elif not self._store.has_migrations_of(release):
            self._say("trying the release's migrations on a copy of the data")
            self._tried(self._store.migrations_in(release))
            before = self._store.migrations_in_use()
            self._store.adopt_migrations(release)
            self._restart(before)
        elif self._database.faults():
            self._restart("")  # a run was ended between the two

    def _restart(self, before: str) -> None:
        self._say("PocketBase restarts for other migrations")
        try:
            self._database.start()
        except UnavailableError as error:
            if not before:
                raise
            self._say("PocketBase does not start with them: those from before come back")
            self._store.use_migrations(before)
            self._database.start()
            raise UnavailableError(
                f"PocketBase did not start with the release's migrations, and runs with those "
                f"from before: {error.what}",
                hint="what serves was not changed; `journalctl -u pocketbase` says more",
            ) from error


def try_on_copy(config: AgentConfig, migrations: Path, places: Places | None = None) -> None:
    """Boot this host's PocketBase with a folder of migrations, on a copy of its database.

    Raises:
        UnavailableError: it does not come up; nothing was changed.
        TinykitOpsError: there is no copy.
    """
    places = places or Places()
    with copy_folder(room()) as folder:
        (folder / DATA).mkdir()
        own = replace(places, state=folder / "state")  # beside a scheduled backup's
        with consistent_copy(own, config.secret(layout.HOOK_TOKEN)) as copy:
            copy.rename(folder / DATA / copy.name)
        shutil.copytree(places.hooks.resolve(), folder / HOOKS)
        shutil.copytree(migrations, folder / MIGRATIONS)
        faults = boot_copy(places.pocketbase, folder, {}, None, hooks=True)
    if faults:
        raise UnavailableError(
            f"PocketBase does not work with the release's migrations, on a copy of the data: "
            f"{faults[0]}",
            where=str(migrations),
            hint="nothing was changed, and the release from before serves: take another release",
        )
