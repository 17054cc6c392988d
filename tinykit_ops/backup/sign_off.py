"""What a verification found, as a small object beside the snapshot in its target.

It is always readable, as the index is, so it names nothing of the data: not what the faults are,
only how many. Whoever lists, prunes or watches the target sees it, on any host.
"""

from __future__ import annotations

import io
import json
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tinykit_ops import __version__
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.manifest import Index, Sha256, SnapshotId
from tinykit_ops.backup.signing import signed
from tinykit_ops.backup.targets import Target
from tinykit_ops.backup.verify import Verdict

VERIFIED = "verified/"


class SignOff(BaseModel):
    """The result of one verification.

    Attributes:
        manifest: SHA-256 of the sealed manifest that was verified; of another one it says nothing.
        host: the name of the host that looked.
        booted: whether PocketBase served the copy; without it a good result does not count.
        uploads_read: which part of the uploads was read, such as `1/7`.
        checked: what was looked at, in words.
        faults: how many there are.
        signer: the public key that signed it, if any; see `signing`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    snapshot: SnapshotId
    manifest: Sha256 | None
    time: AwareDatetime
    host: str = Field(max_length=255)
    tinykit_ops: str = Field(max_length=64)
    pocketbase: str | None = Field(max_length=64)
    booted: bool
    uploads_read: str = Field(max_length=16)
    checked: list[str]
    sound: bool
    faults: int
    signer: str | None = None
    signature: str | None = None

    @property
    def good(self) -> bool:
        """Whether it proves that the snapshot comes back."""
        return self.sound and self.booted

    @property
    def bad(self) -> bool:
        """Whether it says that the snapshot does not come back."""
        return not self.sound


def sign_off(verdict: Verdict, now: datetime | None = None) -> SignOff:
    """A verdict of this host as it is stored; nobody has signed it yet."""
    return SignOff(
        snapshot=verdict.id,
        manifest=verdict.index.manifest.sha256 if verdict.index else None,
        time=now or datetime.now(UTC),
        host=socket.gethostname(),
        tinykit_ops=__version__,
        pocketbase=verdict.pocketbase,
        booted=verdict.booted,
        uploads_read=str(verdict.share),
        checked=verdict.steps,
        sound=verdict.sound,
        faults=len(verdict.faults),
    )


def store(target: Target, result: SignOff, identities: Sequence[Identity] = ()) -> str:
    """Put a result beside its snapshot, signed when there is a key. Returns its key in the target.

    Raises:
        TargetError: it could not be stored.
    """
    paper: dict[str, Any] = result.model_dump(mode="json", exclude={"signer", "signature"})
    if identities:
        paper = signed(paper, identities[0])
    key = result_key(result.snapshot, result.time)
    target.put(key, io.BytesIO(json.dumps(paper, indent=2, ensure_ascii=False).encode() + b"\n"))
    return key


def result_key(snapshot: str, time: datetime) -> str:
    """A key of its own for every result: none is ever overwritten."""
    moment = f"{time.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    return f"{VERIFIED}{snapshot}/{moment}.json"


def belongs_to(result: SignOff, index: Index) -> bool:
    """Whether it is about this very snapshot, not one that took its place."""
    same = result.manifest == index.manifest.sha256
    return result.snapshot == index.id and (same or (result.manifest is None and result.bad))
