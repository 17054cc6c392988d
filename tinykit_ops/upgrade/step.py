"""The step of a deploy: the PocketBase that the settings want runs, or the one before still does.

A host that has no data yet only gets its link. Else: a verified snapshot, the new binary tried on a
copy of it, shut away from the network; then the switch, in a unit of its own, so that a connection
that breaks does not end it half-way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tinykit_ops.errors import UsageError
from tinykit_ops.host.versions import Versions, numbers
from tinykit_ops.upgrade.back import GoingBack
from tinykit_ops.upgrade.journal import Upgrade
from tinykit_ops.upgrade.snapshots import Snapshots
from tinykit_ops.upgrade.switch import Switch


class PocketBaseStep:
    """Bring PocketBase to a version.

    Args:
        wanted: its binary is installed already.
        database: the live one; it is only asked whether it is there.
        run: does the switch, and comes back when it is done; raises when the old one serves again.
    """

    def __init__(
        self,
        wanted: str,
        versions: Versions,
        database: Path,
        snapshots: Snapshots,
        switch: Switch,
        back: GoingBack,
        run: Callable[[Upgrade], None],
        say: Callable[[str], None] = print,
    ) -> None:
        self._wanted = wanted
        self._versions = versions
        self._database = database
        self._snapshots = snapshots
        self._switch = switch
        self._back = back
        self._run = run
        self._say = say

    def pending(self) -> list[str]:
        """An interrupted upgrade, or another version."""
        interrupted = self._switch.journal.begun() is not None or self._back.interrupted()
        left = ["finish what was interrupted"] if interrupted else []
        if self._versions.current() != self._wanted:
            left.append(f"PocketBase {self._wanted} instead of {self._versions.current()}")
        return left

    def apply(self) -> None:
        """Upgrade where needed.

        Raises:
            UsageError: the settings want an older version than the one that has the data, or a
                restore over the data was cut off.
            TinykitOpsError: the new one does not work; the old one serves.
        """
        self._back.refuse_others()
        self._switch.settle()
        self._back.recover(self._say)
        before = self._versions.current()
        if before == self._wanted:
            return
        if not before or not self._database.is_file():
            self._versions.point(self._wanted)
            return
        self._refuse_older(before)
        self._say(f"PocketBase {before} → {self._wanted}: a snapshot, and its verification ...")
        last = self._switch.journal.done()
        self._snapshots.tidy({last.snapshot} if last else set())
        snapshot = self._snapshots.take()
        self._say(f"trying PocketBase {self._wanted} on a copy of snapshot {snapshot} ...")
        self._snapshots.try_binary(snapshot, self._versions.binary(self._wanted))
        self._say("switching ...")
        self._run(Upgrade(before=before, after=self._wanted, snapshot=snapshot))
        self._snapshots.tidy({snapshot})

    def _refuse_older(self, before: str) -> None:
        if numbers(self._wanted) < numbers(before):
            raise UsageError(
                f"PocketBase {before} runs here, and {self._wanted} is older",
                where="pocketbase.version",
                hint="an older one cannot read a newer one's data. To go back, with the data from "
                "before: `tinykit-ops release pocketbase-rollback` on the host, then deploy",
            )
