"""The paths and addresses that a backup works with, gathered so that tests can move them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinykit_ops import layout


@dataclass(frozen=True)
class Places:
    """Where one instance and its agent live; the defaults are a provisioned host's.

    Attributes:
        pocketbase_url: of the running server.
        data: PocketBase's data folder.
        snapshots: where the hook in PocketBase writes.
        hooks, migrations: what PocketBase needs beside its data to boot.
        pocketbase: its binary.
        release: the link to tinykit's release in use.
        state: what backups leave behind.
        lock: held for the length of a run.
        metrics: node-exporter's folder of text files; nothing is written when it is missing.
        of: the instance, on a host that verifies the snapshots of others; empty on an instance.
    """

    pocketbase_url: str = layout.POCKETBASE_URL
    pocketbase_unit: str = layout.POCKETBASE_UNIT
    data: Path = Path(layout.POCKETBASE_DATA)
    snapshots: Path = Path(layout.POCKETBASE_SNAPSHOTS)
    hooks: Path = Path(layout.POCKETBASE_HOOKS)
    migrations: Path = Path(layout.TINYKIT_MIGRATIONS)
    pocketbase: Path = Path(layout.POCKETBASE_BINARY)
    release: Path = Path(layout.TINYKIT_CURRENT)
    state: Path = Path(layout.STATE_DIR) / "backup"
    lock: Path = Path(layout.LOCK_DIR) / "backup.lock"
    metrics: Path = Path(layout.METRICS_DIR)
    of: str = ""

    @classmethod
    def of_instance(cls, name: str) -> Places:
        """Where a verifier keeps what it knows of one instance."""
        return cls(
            state=Path(layout.STATE_DIR) / "instances" / name / "backup",
            lock=Path(layout.LOCK_DIR) / f"backup-{name}.lock",
            of=name,
        )

    @property
    def database(self) -> Path:
        """The live database; never opened while PocketBase runs."""
        return self.data / "data.db"

    @property
    def storage(self) -> Path:
        """Uploaded files."""
        return self.data / "storage"

    @property
    def status(self) -> Path:
        """The status file."""
        return self.state / "status.json"

    @property
    def work(self) -> Path:
        """Private to root; temporary files of one run."""
        return self.state / "work"
