"""Back to the PocketBase from before an upgrade: its binary, and the data of that moment.

An older PocketBase cannot read what a newer one made of the data, so what came since then is lost
to the instance. It is counted first, and stays on the host in two ways: as a verified snapshot, and
as the data folder beside the restored one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinykit_ops.backup.differences import Difference
from tinykit_ops.backup.in_place import InPlace, Replaced, Services
from tinykit_ops.backup.in_place_journal import GOING_BACK
from tinykit_ops.backup.in_place_journal import Journal as Cut
from tinykit_ops.errors import UsageError
from tinykit_ops.host.versions import Versions
from tinykit_ops.upgrade.journal import Journal, Upgrade
from tinykit_ops.upgrade.snapshots import Snapshots


@dataclass(frozen=True)
class Loss:
    """What going back takes away.

    Attributes:
        since: the upgrade that is taken back.
        now: id of the snapshot of the data as it is now.
        rows: every collection that is not as it was.
    """

    since: Upgrade
    now: str
    rows: list[Difference]


class _Switched:
    """The instance's programs, with the link to the version that fits the data they start on."""

    def __init__(self, services: Services, versions: Versions, upgrade: Upgrade) -> None:
        self._services = services
        self._versions = versions
        self._upgrade = upgrade

    def stop(self) -> None:
        self._services.stop()
        # If the power goes now, the newer one starts, which can read either data.
        self._versions.point(self._upgrade.after)

    def start(self, rows: dict[str, int]) -> None:
        # Restored data is known by its rows; with none, it is the data of the newer version.
        self._versions.point(self._upgrade.before if rows else self._upgrade.after)
        self._services.start(rows)


class GoingBack:
    """Taking the last upgrade of a host back.

    Args:
        services: stop and start the instance's programs.
    """

    def __init__(
        self, versions: Versions, snapshots: Snapshots, journal: Journal, services: Services
    ) -> None:
        self._versions = versions
        self._snapshots = snapshots
        self._journal = journal
        self._services = services

    def interrupted(self) -> bool:
        """Whether an attempt ended half-way."""
        upgrade = self._journal.done()
        return upgrade is not None and self._in_place(upgrade).interrupted()

    def refuse_others(self) -> None:
        """Raises: UsageError when a restore over the same data was cut off."""
        Cut(self._snapshots.instance).refuse_others(GOING_BACK)

    def refuse_unfinished(self) -> None:
        """For a run that only looks: it finishes nothing.

        Raises:
            UsageError: something was cut off, so what is there now is not what will be.
        """
        self.refuse_others()
        if self._journal.begun() is not None or self.interrupted():
            raise UsageError(
                "An upgrade of PocketBase, or the way back, was cut off on this host",
                hint="nothing was changed; the next deploy finishes it, or takes it back, and so "
                "does this command without --dry-run",
            )

    def recover(self, say: Callable[[str], None]) -> None:
        """Undo an interrupted attempt: the newer version serves on its data.

        Raises:
            UsageError: a restore was cut off, and has to be gone on with first.
        """
        self.refuse_others()
        upgrade = self._journal.done()
        if upgrade is not None:
            self._in_place(upgrade).recover(say)

    def check(self) -> Upgrade:
        """What would be taken back.

        Raises:
            UsageError: there is nothing to take back, or not on this host any more.
        """
        upgrade = self._journal.done()
        if upgrade is None:
            raise UsageError(
                "No upgrade of PocketBase can be taken back on this host",
                where=self._versions.current(),
                hint="none was made by a deploy, or it was taken back already; an older backup "
                "restores with `tinykit-ops backup restore` on a host with its version",
            )
        if self._versions.current() != upgrade.after:
            raise UsageError(
                f"PocketBase {self._versions.current()} runs here, and the last upgrade was to "
                f"{upgrade.after}",
                hint="somebody changed the version by hand: deploy first",
            )
        if not self._versions.binary(upgrade.before).is_file():
            raise UsageError(
                f"PocketBase {upgrade.before} is not on this host any more",
                where=str(self._versions.binary(upgrade.before)),
            )
        self._snapshots.manifest(upgrade.snapshot)
        return upgrade

    def loss(self, upgrade: Upgrade) -> Loss:
        """Take a verified snapshot of now, and compare.

        Raises:
            TinykitOpsError: there is none; nothing was changed.
        """
        self._snapshots.tidy({upgrade.snapshot})
        now = self._snapshots.take()
        return Loss(upgrade, now, self._snapshots.differences(upgrade.snapshot, now))

    def run(self, upgrade: Upgrade, say: Callable[[str], None]) -> Replaced:
        """Go back; on any failure the newer version serves on its data.

        Raises:
            TinykitOpsError: why it failed.
        """
        done = self._in_place(upgrade).run(
            self._snapshots.target(upgrade.snapshot), upgrade.snapshot, [], None, say
        )
        self._journal.forget()
        return done

    def _in_place(self, upgrade: Upgrade) -> InPlace:
        services = _Switched(self._services, self._versions, upgrade)
        return InPlace(self._snapshots.instance, services, GOING_BACK)
