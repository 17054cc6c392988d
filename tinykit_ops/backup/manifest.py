"""The two papers of a snapshot: the manifest says what is inside, the index what is stored.

The manifest is sealed when the archive is. The index is always readable, names nothing of the
data, and is written last: a snapshot exists when its index does. See docs/backup-format.md.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

FORMAT = 1
SNAPSHOTS = "snapshots/"
UPLOADS = "uploads/"
INDEX = "index.json"
_ID = r"^\d{8}T\d{6}Z-[0-9a-f]{6}$"

SnapshotId = Annotated[str, Field(pattern=_ID)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _stays_inside(path: str) -> str:
    """A relative path without empty, "." or ".." steps: restoring never leaves its folder."""
    if "\x00" in path or any(step in ("", ".", "..") for step in path.split("/")):
        raise ValueError("is not a path below its folder")
    return path


SafePath = Annotated[str, AfterValidator(_stays_inside)]


_STRICT = ConfigDict(extra="forbid")


class _Paper(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# There is one of these for each upload, and of the next: with slots they take half of the memory.
@dataclass(frozen=True, slots=True, config=_STRICT)
class Stored:
    """An object as it lies in the target: its key, and the measure of its sealed bytes."""

    key: SafePath
    size: int
    sha256: Sha256


class Part(_Paper):
    """An object and what comes out when it is opened."""

    stored: Stored
    size: int
    sha256: Sha256


@dataclass(frozen=True, slots=True, config=_STRICT)
class Upload:
    """One uploaded file; several may share one object.

    Attributes:
        path: relative to `storage/`.
        key: of the object that holds its content.
    """

    path: SafePath
    key: SafePath
    size: int
    sha256: Sha256


class Manifest(_Paper):
    """What a snapshot holds."""

    format: Literal[1] = 1
    id: SnapshotId
    created: AwareDatetime  #: when the copy of the database was asked for: it holds all of before
    domains: list[str]
    tinykit_ops: str
    pocketbase: str  #: version of the binary
    release: str  #: tinykit's
    rows: dict[str, int]  #: by collection
    uploads_elsewhere: bool  #: PocketBase kept uploads in S3; they are not in here
    database: Part
    boot: Part  #: a tar of hooks, migrations and the agent's settings
    uploads: list[Upload]


class Index(_Paper):
    """What of a snapshot lies in the target; readable without a key."""

    format: Literal[1] = 1
    id: SnapshotId
    created: AwareDatetime
    encrypted: bool
    data_bytes: int  #: database and uploads, uncompressed
    manifest: Stored
    parts: list[Stored]  #: database and boot
    uploads: list[Stored]  #: each object once

    @property
    def objects(self) -> list[Stored]:
        """Everything that must be there for this snapshot to be whole."""
        return [self.manifest, *self.parts, *self.uploads]


def new_id(now: datetime) -> str:
    """A name that sorts by time, such as 20261123T191255Z-0f3a9c."""
    return f"{moment(now)}-{secrets.token_hex(3)}"


def moment(time: datetime) -> str:
    """How the id of a snapshot begins that was made at this time; ids sort by it."""
    return f"{time.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def folder(snapshot: str) -> str:
    """The prefix of a snapshot's own objects."""
    return f"{SNAPSHOTS}{snapshot}/"


def index_key(snapshot: str) -> str:
    """The key of a snapshot's index."""
    return folder(snapshot) + INDEX
