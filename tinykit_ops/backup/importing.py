"""Adopting a backup of PocketBase's dashboard: it becomes a snapshot like any other."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.about import pocketbase_version
from tinykit_ops.backup.archive import Source
from tinykit_ops.backup.boot_part import boot_tar
from tinykit_ops.backup.dashboard_zip import DATABASE, MARKER, STORAGE, BadZipError, unpack
from tinykit_ops.backup.database import find_faults, read_contents, take_in_wal
from tinykit_ops.backup.delivery import Delivery, wanted_targets
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.manifest import new_id
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.progress import Progress
from tinykit_ops.backup.snapshot import clear_leftovers
from tinykit_ops.backup.uploads import list_uploads, missing

RELEASE = "imported"


@dataclass
class Imported:
    """What came of it.

    Attributes:
        id: of the snapshot.
        made: when the backup was made.
        marker_dropped: tinykit's setup marker, which may hold a password, was in the zip.
        outcomes: one a target.
    """

    id: str
    made: datetime
    marker_dropped: bool
    outcomes: list[Outcome]


def import_zip(
    config: AgentConfig,
    places: Places,
    file: Path,
    only: Sequence[str],
    progress: Progress,
    *,
    pocketbase: str | None = None,
) -> Imported:
    """Check the zip and build a snapshot of it in the targets. The instance is not touched.

    Args:
        pocketbase: the version that made it; the installed one when left out. `verify` boots it.

    Raises:
        BadZipError, NoSpaceError, DamagedError, MissingUploadsError: nothing was stored.
        BackupSettingsError: there is no such target.
    """
    delivery = Delivery(config, places, wanted_targets(config, only), progress, noted=False)
    with only_one(places.lock):
        for name in delivery.volumes:
            delivery.fail(name, _no_archives(name))
        clear_leftovers(places)
        work = places.work / "import"
        try:
            unpacked = unpack(file, work)
            version = pocketbase or pocketbase_version(places.pocketbase)
            source = _source(config, places, work, unpacked.made, version)
            for name in delivery.pending:
                delivery.guarded(name, delivery.open)
            for name in delivery.pending:
                delivery.guarded(name, lambda one: delivery.archive(one, source))
            delivery.tell_what_goes_soon()
        finally:
            shutil.rmtree(work, ignore_errors=True)
    outcomes = list(delivery.outcomes.values())
    return Imported(source.id, unpacked.made, MARKER in unpacked.dropped, outcomes)


def _no_archives(name: str) -> BackupSettingsError:
    return BackupSettingsError(
        f"Target {name!r} snapshots a volume, so nothing can be stored in it",
        where="backup.targets",
        hint="name a target of the kind s3 or directory: --target NAME",
    )


def _source(
    config: AgentConfig, places: Places, work: Path, made: datetime, pocketbase: str
) -> Source:
    copy = work / DATABASE
    _take_in_wal(copy)
    faults = find_faults(copy)
    if faults:
        raise BadZipError(
            f"Its database is damaged: {faults[0]}",
            hint="take another of the dashboard's backups",
        )
    contents = read_contents(copy)
    uploads = list_uploads(work / STORAGE)
    lacking = sorted(contents.files.difference(uploads))
    if lacking and not contents.uploads_elsewhere:
        raise missing(lacking, Path(STORAGE))
    return Source(
        id=new_id(made),
        created=made,
        copy=copy,
        contents=contents,
        storage=work / STORAGE,
        uploads=uploads,
        boot=boot_tar(config, places).getvalue(),
        state=work,
        domains=config.settings.domains,
        pocketbase=pocketbase,
        release=RELEASE,
    )


def _take_in_wal(copy: Path) -> None:
    """What stands in the WAL belongs to the database. These files are ours alone."""
    try:
        take_in_wal(copy)
    except sqlite3.DatabaseError as error:
        raise BadZipError(
            f"Its {DATABASE} is no database ({error})",
            hint="take another of the dashboard's backups",
        ) from None
