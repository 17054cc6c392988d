"""Verifying: a snapshot is fetched, opened, checked, and booted, and every fault is named."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from tinykit_ops.backup.boot import boot_copy
from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.copy_folder import copy_folder
from tinykit_ops.backup.database import Contents, find_faults, read_contents
from tinykit_ops.backup.errors import DamagedError, NoSpaceError, local_failure
from tinykit_ops.backup.fetch import fetch_manifest, fetch_part, upload_parts
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.manifest import UPLOADS, Index, Manifest, Part, Upload
from tinykit_ops.backup.restore import DATA, fetch_boot, fetch_database
from tinykit_ops.backup.share import WHOLE, Share
from tinykit_ops.backup.targets import Target
from tinykit_ops.errors import AccessError, TinykitOpsError, UnavailableError, UsageError

FindBinary = Callable[[str], Path]  #: version → PocketBase's binary
DISK = "/var/tmp"  # noqa: S108  # the folder in it is made with a name nobody can guess
#: What stands between us and the snapshot, and says nothing about it.
_COULD_NOT_LOOK = (UsageError, UnavailableError, AccessError, NoSpaceError)


@dataclass
class Verdict:
    """What was looked at, and what is wrong.

    Attributes:
        steps: what was done, in words, in order; names nothing of the data.
        faults: everything that is wrong; none means that the snapshot comes back.
        share: which part of the uploads was to be read.
        index: of the snapshot; None when it cannot be read.
        pocketbase: the version that made the snapshot; None when nobody can tell.
        booted: whether PocketBase was booted on the copy.
        warnings: what a person should know beside that.
        damaged: keys of uploads whose objects have other bytes than were stored. Later snapshots
            rely on them, too: that an object is there does not tell that it is sound.
    """

    id: str
    share: Share = WHOLE
    index: Index | None = None
    pocketbase: str | None = None
    booted: bool = False
    steps: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @property
    def remedy(self) -> str:
        """What to do about the faults."""
        if not self.damaged:
            return "make a new snapshot"
        more = (
            f", and the {len(self.damaged) - 1} more that the faults name,"
            if self.damaged[1:]
            else ""
        )
        return (
            f"remove {self.damaged[0]}{more} from the target: `backup run` then sends it again, "
            "and until then every new snapshot lacks it"
        )

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify(
    target: Target,
    snapshot: str,
    identities: Sequence[Identity],
    *,
    find_binary: FindBinary | None = None,
    share: Share = WHOLE,
) -> Verdict:
    """Verify one snapshot; nothing is written to the target.

    Args:
        share: which part of the uploads to read; of the others, size and presence are checked.
        find_binary: finds the PocketBase to boot on the copy; None leaves the boot out, and the
            verdict's steps say so.

    Raises:
        UsageError: no such snapshot, it is encrypted and no key was given, or its PocketBase is
            of a version that nobody has a hash for.
        UnavailableError, AccessError: the target does not answer or refuses us, or PocketBase
            cannot be booted here; a WrongKeyError among them.
        NoSpaceError: this host's disk is full. None of these says anything about the snapshot.
    """
    verdict = Verdict(snapshot, share)
    with copy_folder(room()) as folder:
        try:
            run = _Verification(target, verdict, identities, folder, find_binary, share)
            run.go()
        except _COULD_NOT_LOOK:
            raise
        except TinykitOpsError as error:
            verdict.faults.append(_line(error))
        except OSError as error:
            raise local_failure(error) from None
    return verdict


def room() -> str | None:
    """Where the copy goes: not to /tmp, which is memory on Debian 13, unless somebody says so."""
    return None if os.environ.get("TMPDIR") or not Path(DISK).is_dir() else DISK


class _Verification:
    def __init__(
        self,
        target: Target,
        verdict: Verdict,
        identities: Sequence[Identity],
        folder: Path,
        find_binary: FindBinary | None,
        share: Share,
    ) -> None:
        self._target = target
        self._verdict = verdict
        self._identities = identities
        self._folder = folder
        self._find_binary = find_binary
        self._share = share

    def go(self) -> None:
        index = self._verdict.index = read_index(self._target, self._verdict.id)
        if not index.encrypted:
            self._identities = []
        manifest = fetch_manifest(self._target, index, self._identities)
        self._verdict.pocketbase = manifest.pocketbase
        self._did("index and manifest belong together")
        contents = self._database(manifest)
        sample = _sample(manifest, contents)
        self._uploads(index, manifest, sample)
        self._boot_part(manifest)
        if contents is not None:
            self._boot(manifest, sample)

    def _uploads(self, index: Index, manifest: Manifest, sample: Upload | None) -> None:
        """Read the uploads of our share and look for the others; keep the sample for the API."""
        parts = upload_parts(index, manifest)
        named = {upload.key: upload.path for upload in manifest.uploads}
        sampled = sample.key if sample else None
        chosen = {key for key in parts if self._share.holds(key) or key == sampled}
        self._others({key: part for key, part in parts.items() if key not in chosen}, named)
        for key, part in parts.items():
            if key not in chosen:
                continue
            with self._sink(sample if sample and sample.key == key else None) as into:
                fetch = partial(fetch_part, self._target, part, into, self._identities)
                if isinstance(self._try(fetch, f"upload {named[key]}"), DamagedError):
                    self._verdict.damaged.append(key)
        of = f" ({self._share} of {len(parts)})" if not self._share.is_whole else ""
        self._did(f"{len(chosen)} upload object(s){of} of {len(manifest.uploads)} files: hashes")

    def _others(self, parts: dict[str, Part], named: dict[str, str]) -> None:
        if not parts:
            return
        there = {found.key: found.size for found in self._target.list(UPLOADS)}
        for key, part in parts.items():
            if key not in there:
                self._verdict.faults.append(f"upload {named[key]}: its object {key} is missing")
            elif there[key] != part.stored.size:
                sizes = f"{there[key]} bytes instead of {part.stored.size}"
                self._verdict.faults.append(f"upload {named[key]}: its object {key} has {sizes}")
        self._did(f"{len(parts)} other upload object(s): there, with the right size")

    def _sink(self, kept: Upload | None) -> BinaryIO:
        if kept is None:
            return cast(BinaryIO, Path("/dev/null").open("wb"))
        path = self._folder / DATA / "storage" / kept.path
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")

    def _boot_part(self, manifest: Manifest) -> None:
        self._try(
            lambda: fetch_boot(self._target, manifest, self._folder, self._identities),
            "hooks and migrations",
        )
        self._did("hooks and migrations: hashes")

    def _database(self, manifest: Manifest) -> Contents | None:
        """Returns what it holds, or None when there is nothing to boot."""
        try:
            path = fetch_database(self._target, manifest, self._folder / DATA, self._identities)
            self._did("database: hashes")
            faults = [f"database: {fault}" for fault in find_faults(path)]
            self._did("database: SQLite's integrity and foreign keys")
            contents = read_contents(path)
        except _COULD_NOT_LOOK:
            raise
        except TinykitOpsError as error:
            self._verdict.faults.append(f"database: {_line(error)}")
            return None
        faults += compare_rows(manifest.rows, contents.rows)
        self._did(f"rows of {len(manifest.rows)} collections")
        kept = {upload.path for upload in manifest.uploads}
        if not manifest.uploads_elsewhere:
            lacking = sorted(contents.files - kept)
            faults += [f"upload {path} is named by a record, but not in it" for path in lacking]
            self._did(f"{len(contents.files)} uploads that records name are in it")
        self._verdict.faults += faults
        return contents

    def _boot(self, manifest: Manifest, sample: Upload | None) -> None:
        if self._find_binary is None:
            self._did("NOT booted, as asked")
            return
        binary = self._find_binary(manifest.pocketbase)
        faults = boot_copy(binary, self._folder, manifest.rows, sample)
        self._verdict.booted = True
        self._verdict.faults += faults
        self._did(f"PocketBase {manifest.pocketbase} booted on the copy, rows read over its API")

    def _did(self, step: str) -> None:
        self._verdict.steps.append(step)

    def _try(self, step: Callable[[], None], what: str) -> TinykitOpsError | None:
        """Note a fault and go on, so that all of them are named. Returns it."""
        try:
            step()
        except _COULD_NOT_LOOK:
            raise
        except TinykitOpsError as error:
            self._verdict.faults.append(f"{what}: {_line(error)}")
            return error
        return None


def compare_rows(expected: dict[str, int], found: dict[str, int]) -> list[str]:
    """Differences in the counts of rows, in words."""
    return [
        f"collection {name}: {found.get(name, 'none')} rows instead of {expected.get(name, 'none')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def _sample(manifest: Manifest, contents: Contents | None) -> Upload | None:
    """An upload that a record names, to be read through the API."""
    if contents is None:
        return None
    return next((upload for upload in manifest.uploads if upload.path in contents.files), None)


def _line(error: TinykitOpsError) -> str:
    return f"{error.what} ({error.where})" if error.where else error.what
