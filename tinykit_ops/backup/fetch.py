"""Fetching what a snapshot consists of, with every hash checked on the way."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from pydantic import ValidationError

from tinykit_ops.backup.errors import (
    BackupSettingsError,
    DamagedError,
    SealError,
    WrongKeyError,
)
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.manifest import Index, Manifest, Part, Stored
from tinykit_ops.backup.streams import Measure, Meter
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.unseal import unseal

CHUNK = 1 << 20
_HINT = "use another snapshot; `tinykit-ops backup verify` tells which are sound"


def fetch_manifest(target: Target, index: Index, identities: Sequence[Identity]) -> Manifest:
    """The manifest of a snapshot.

    Raises:
        BackupSettingsError: it is encrypted and no key was given.
        WrongKeyError: no key that was given opens it.
        DamagedError, TargetError: it is not what was stored, or not there.
    """
    if index.encrypted and not identities:
        raise BackupSettingsError(
            f"Snapshot {index.id} is encrypted",
            hint="give the private key: `--identity FILE`, the file that `age-keygen` wrote",
        )
    content = io.BytesIO()
    fetch_stored(target, index.manifest, content, identities if index.encrypted else [])
    try:
        manifest = Manifest.model_validate_json(content.getvalue())
    except ValidationError as error:
        raise DamagedError(
            f"The manifest of {index.id} is not one ({error.error_count()} faults)",
            where=index.manifest.key,
            hint=_HINT,
        ) from None
    _same_snapshot(index, manifest)
    return manifest


def fetch_part(target: Target, part: Part, into: BinaryIO, identities: Sequence[Identity]) -> None:
    """Write the plain bytes of a part. Raises as fetch_stored does, and when they are others."""
    plain = fetch_stored(target, part.stored, into, identities)
    _expect(plain, Measure(part.sha256, part.size), part.stored.key, "The content")


def fetch_stored(
    target: Target, stored: Stored, into: BinaryIO, identities: Sequence[Identity]
) -> Measure:
    """Write the plain bytes of an object. Returns their measure.

    Raises:
        DamagedError: the object is not the one that was stored.
        WrongKeyError, TargetError.
        OSError: they could not be written here.
    """
    with target.get(stored.key) as stream:
        sealed = Meter(stream)
        try:
            plain = unseal(sealed, into, identities)
        except (SealError, WrongKeyError) as error:
            # First the hash: damage to the head of an age file looks like another key.
            _drain(sealed)
            _expect(sealed.measure, Measure(stored.sha256, stored.size), stored.key, "The object")
            if isinstance(error, WrongKeyError):
                raise
            raise DamagedError(error.what, where=stored.key, hint=_HINT) from None
        _drain(sealed)
    _expect(sealed.measure, Measure(stored.sha256, stored.size), stored.key, "The object")
    return plain


def _drain(sealed: Meter) -> None:
    while sealed.read(CHUNK):
        continue


def _expect(found: Measure, expected: Measure, key: str, what: str) -> None:
    if found == expected:
        return
    if found.size != expected.size:
        reason = f"{found.size} bytes instead of {expected.size}"
    else:
        reason = "the size is right, the SHA-256 is not"
    raise DamagedError(f"{what} differs from what was stored: {reason}", where=key, hint=_HINT)


def _same_snapshot(index: Index, manifest: Manifest) -> None:
    """The sealed manifest and the clear index must tell the same story."""
    stored = {one.key: one for one in index.objects}
    parts = [manifest.database.stored, manifest.boot.stored]
    size = manifest.database.size + sum(upload.size for upload in manifest.uploads)
    same = (manifest.id, manifest.created, size) == (index.id, index.created, index.data_bytes)
    if not same or any(stored.get(one.key) != one for one in parts):
        raise DamagedError(
            f"The manifest and the index of {index.id} do not belong together",
            where=index.manifest.key,
            hint="somebody changed or swapped one of them: use another snapshot",
        )
    lacking = sorted({upload.key for upload in manifest.uploads} - stored.keys())
    if lacking:
        raise DamagedError(
            f"The index of {index.id} lacks {len(lacking)} upload(s) that the manifest names",
            where=lacking[0],
            hint="somebody changed the index: use another snapshot",
        )


def upload_parts(index: Index, manifest: Manifest) -> dict[str, Part]:
    """What to fetch for uploads: one part an object, by its key."""
    stored = {one.key: one for one in index.uploads}
    return {
        upload.key: Part(stored=stored[upload.key], size=upload.size, sha256=upload.sha256)
        for upload in manifest.uploads
    }
