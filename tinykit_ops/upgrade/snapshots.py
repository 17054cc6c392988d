"""Verified snapshots from before an upgrade, on this host.

They are archives as any backup's, in a folder of root's. They are no backups: they are on the disk
that they come from. They lie open, because the host may lack the key of its sealed backups, and
has to go back without asking anybody.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.binaries import binary_of_version
from tinykit_ops.backup.boot import boot_copy
from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.copy_folder import copy_folder
from tinykit_ops.backup.differences import Difference, differences
from tinykit_ops.backup.fetch import fetch_manifest
from tinykit_ops.backup.manifest import Manifest
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.restore import DATA, fetch_boot, fetch_database
from tinykit_ops.backup.run import How, run_backup
from tinykit_ops.backup.targets import Target, open_target
from tinykit_ops.backup.verify import room, verify
from tinykit_ops.errors import StorageError, UnavailableError
from tinykit_ops.settings.backup import BackupSettings

TARGET = "pocketbase-upgrades"
_MAKING = "making"
WAIT_SECONDS = 1800.0  #: for a scheduled backup that is at work


class Snapshots:
    """The snapshots of an instance's upgrades, each in a folder of its own.

    Args:
        config: of the instance; of its backup's settings nothing is used.
        places: of the instance.
    """

    def __init__(self, config: AgentConfig, places: Places) -> None:
        self.instance = places
        self.folder = places.state.with_name(TARGET)
        # A folder of state of their own: the status of the real backups is not theirs to change.
        self.places = replace(
            places, state=self.folder / "state", metrics=self.folder / "no-metrics"
        )
        self._config = config

    def target(self, snapshot: str) -> Target:
        """Where one lies."""
        return open_target(self._at(snapshot), TARGET)

    def take(self) -> str:
        """Make one of the data as it is now, and prove that it comes back. Returns its id.

        Raises:
            TinykitOpsError: there is none, or it does not come back.
        """
        making = self.folder / _MAKING
        shutil.rmtree(making, ignore_errors=True)
        shutil.rmtree(self.places.state, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        making.mkdir(mode=0o700)
        how = How(wait_seconds=WAIT_SECONDS, prune=False)
        (outcome,) = run_backup(self._at(_MAKING), self.places, [TARGET], how)
        if outcome.error is not None:
            raise outcome.error
        snapshot = str(outcome.snapshot)
        making.rename(self.folder / snapshot)
        self._verify(snapshot)
        return snapshot

    def tidy(self, keep: set[str]) -> None:
        """Remove all others."""
        if self.folder.is_dir():
            for folder in self.folder.iterdir():
                if folder.is_dir() and folder.name not in {*keep, self.places.state.name}:
                    shutil.rmtree(folder)

    def manifest(self, snapshot: str) -> Manifest:
        """What one holds. Raises BackupSettingsError when it is not there."""
        return fetch_manifest(
            self.target(snapshot), read_index(self.target(snapshot), snapshot), []
        )

    def try_binary(self, snapshot: str, binary: Path) -> None:
        """Boot another PocketBase on a copy, with the instance's hooks and migrations.

        Raises:
            UnavailableError: it does not come up, or shows other rows.
        """
        manifest = self.manifest(snapshot)
        with copy_folder(room()) as folder:
            fetch_database(self.target(snapshot), manifest, folder / DATA, [])
            fetch_boot(self.target(snapshot), manifest, folder, [])
            faults = boot_copy(binary, folder, manifest.rows, None, hooks=True)
        if faults:
            raise UnavailableError(
                f"The new PocketBase does not work on a copy of the data: {faults[0]}",
                where=str(binary),
                hint="nothing was changed, and the old one serves: take another version",
            )

    def differences(self, before: str, after: str) -> list[Difference]:
        """What changed between two of them."""
        with copy_folder(room()) as folder:
            paths = [
                fetch_database(self.target(one), self.manifest(one), folder / one, [])
                for one in (before, after)
            ]
            return differences(*paths)

    def _verify(self, snapshot: str) -> None:
        verdict = verify(
            self.target(snapshot),
            snapshot,
            [],
            find_binary=lambda version: binary_of_version(version, self.places),
        )
        if not verdict.sound:
            raise StorageError(
                f"The snapshot of the data as it is now does not come back: {verdict.faults[0]}",
                where=str(self.folder),
                hint="nothing was changed; look into the database with `tinykit-ops check --host`",
            )

    def _at(self, name: str) -> AgentConfig:
        """The configuration with this folder as its only target."""
        path = str(self.folder / name)
        backup = BackupSettings.model_validate(
            {"targets": [{"kind": "directory", "name": TARGET, "path": path, "encryption": "none"}]}
        )
        settings = self._config.settings.model_copy(update={"backup": backup})
        return replace(self._config, settings=settings)
