"""From one version to the other: stop, keep the data, switch, start; back when it is not well.

Whatever ends this half-way, `settle` brings the host to one of the two versions: the new one when
it serves and is well, else the old one with its data. When the host was started anew meanwhile, the
new one may have served for weeks: then it stays, and nothing of what came since goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from tinykit_ops.errors import TinykitOpsError, UnavailableError
from tinykit_ops.host.versions import Versions
from tinykit_ops.upgrade.data import KeptData
from tinykit_ops.upgrade.journal import Begun, Journal, Upgrade

WELL_SECONDS = 3.0  #: longer than a crash and systemd's restart after it take
LOOK_SECONDS = 0.25


class Program(Protocol):
    """PocketBase's server."""

    def start(self) -> None:
        """Start it, and wait until it listens. Raises UnavailableError with its last words."""

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""

    def is_active(self) -> bool:
        """Whether it is up."""

    def identity(self) -> tuple[str, str]:
        """Changes when it is another process."""

    def last_lines(self) -> str:
        """The end of its log."""


class Switch:
    """The replacement of PocketBase's server.

    Args:
        judge: raises when the server does not answer, log in, and show its collections.
        say: takes a line for a person.
        well_seconds: how long a server must stay well.
    """

    def __init__(
        self,
        versions: Versions,
        program: Program,
        data: KeptData,
        journal: Journal,
        judge: Callable[[], None],
        *,
        say: Callable[[str], None] = print,
        well_seconds: float = WELL_SECONDS,
    ) -> None:
        self._versions = versions
        self._program = program
        self._data = data
        self.journal = journal
        self._judge = judge
        self._say = say
        self._well_seconds = well_seconds

    def run(self, upgrade: Upgrade) -> float:
        """Replace it. Returns for how many seconds nobody answered.

        Raises:
            TinykitOpsError: the new one is not well; the old one serves, with its data.
        """
        self._data.need_space()
        self._data.drop()
        self._data.prepare()
        self.journal.begin(upgrade)
        try:
            pause = self._replace(upgrade)
            self._see_it_stays_well()
        except BaseException as error:
            self._say(f"PocketBase {upgrade.after} is not well, {upgrade.before} comes back")
            self._back(upgrade)
            if isinstance(error, TinykitOpsError):
                raise self._told(upgrade, error) from error
            raise
        self._finish(upgrade.model_copy(update={"away_ms": round(pause * 1000)}))
        return pause

    def settle(self) -> None:
        """Bring an interrupted one to its end; nothing happens when there is none."""
        upgrade = self.journal.begun()
        if upgrade is None:
            return
        if self._may_have_served(upgrade):
            self._stay(upgrade)
            return
        try:
            if self._versions.current() != upgrade.after or not self._program.is_active():
                raise UnavailableError("It was interrupted")
            self._see_it_stays_well()
        except TinykitOpsError:
            self._say(f"the upgrade was interrupted: PocketBase {upgrade.before} comes back")
            self._back(upgrade)
        else:
            self._finish(upgrade)

    def _may_have_served(self, begun: Begun) -> bool:
        """Whether the host has booted with the new version on the data, and nobody judged it."""
        had_the_data = self._versions.current() == begun.after and not begun.going_back
        return had_the_data and not begun.is_of_this_boot

    def _stay(self, upgrade: Upgrade) -> None:
        """Also when it does not answer now: that says nothing about what was written since."""
        self._say(
            f"the upgrade was interrupted, and PocketBase {upgrade.after} has the data: stays"
        )
        if not self._program.is_active():
            self._program.start()
        self._finish(upgrade)

    def _replace(self, upgrade: Upgrade) -> float:
        began = time.monotonic()
        self._program.stop()
        self._data.keep()
        self._versions.point(upgrade.after)
        self._program.start()
        pause = time.monotonic() - began
        self._judge()
        return pause

    def _see_it_stays_well(self) -> None:
        """The same process all the time, and well at the end."""
        process, until = self._program.identity(), time.monotonic() + self._well_seconds
        while time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            if self._program.identity() != process or not self._program.is_active():
                raise UnavailableError("It started, and ended by itself")
        self._judge()

    def _back(self, upgrade: Upgrade) -> None:
        """While the link leads to the old version, the new one never had the data."""
        if self._versions.current() == upgrade.after:
            with suppress(OSError):  # a full disk: it only has to be known after a power cut
                self.journal.go_back()
            self._program.stop()
            aside = self._data.put_back()
            self._versions.point(upgrade.before)
            if aside:
                self._say(f"what {upgrade.after} made of the data is in {aside}")
        if not self._program.is_active():
            self._program.start()
        self.journal.abandon()
        self._data.drop()

    def _finish(self, upgrade: Upgrade) -> None:
        self.journal.finish(upgrade)
        self._data.drop()

    def _told(self, upgrade: Upgrade, error: TinykitOpsError) -> UnavailableError:
        left = self._data.failed
        aside = f"; what {upgrade.after} made of the data is in {left}" if left else ""
        return UnavailableError(
            f"PocketBase {upgrade.after} was not well, and {upgrade.before} serves again: "
            f"{error.what}",
            where=error.where,
            hint=f"its log says more: `journalctl -u pocketbase`{aside}",
        )
