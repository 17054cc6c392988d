"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinykit_ops.backup.manifest import Index
from tinykit_ops.backup.prune import Pruned
from tinykit_ops.errors import Exit, TinykitOpsError


class UnexpectedError(TinykitOpsError):
    """A bug of ours stopped a backup. Says its kind and place; its text may hold anything."""

    exit_code = Exit.SOFTWARE


@dataclass
class Outcome:
    """What became of one target in one run.

    Attributes:
        index: of the new snapshot; None when there is none, or it is one of a volume.
        snapshot: the id of the new snapshot; None when there is none.
        error: why there is no new snapshot; None when there is one.
        warnings: what a person should know although the snapshot is whole.
        said: what was done, in words, when that was no backup.
    """

    target: str
    index: Index | None = None
    snapshot: str | None = None
    error: TinykitOpsError | None = None
    sent_bytes: int = 0
    seconds: float = 0.0
    pruned: Pruned | None = None
    warnings: list[str] = field(default_factory=list)
    said: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether what was to be done was done."""
        return self.error is None and (self.snapshot is not None or self.said is not None)

    @property
    def pending(self) -> bool:
        """Neither done nor failed yet."""
        return self.error is None and self.snapshot is None
