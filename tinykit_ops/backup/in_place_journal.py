"""How far a restore in place came: one small file for a data folder, whoever restores over it.

Two commands restore over the same data. They share the folder that the restored data waits in, so
they share the note about it, too: what one was cut off at is never taken for rubbish by the other.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from tinykit_ops.backup.files import remove, write_atomically
from tinykit_ops.backup.places import Places
from tinykit_ops.errors import UsageError

RESTORE = "backup restore --in-place"
GOING_BACK = "release pocketbase-rollback"
#: What a person does about each.
_GO_ON = {
    RESTORE: "run `tinykit-ops backup restore --in-place` again, which brings back the data from "
    "before it first",
    GOING_BACK: "the next deploy, or `tinykit-ops release pocketbase-rollback`, brings back the "
    "newer version and its data first",
}


@dataclass(frozen=True)
class Begun:
    """How far a run came.

    Attributes:
        old: the inode of the data folder before anything changed.
        is_back: the folders have changed places, and are about to do so again.
        by: `RESTORE` or `GOING_BACK`.
    """

    snapshot: str
    old: int
    is_back: bool = False
    by: str = RESTORE

    def __str__(self) -> str:
        return f"`{self.by}` was cut off at {self.snapshot}: {_GO_ON[self.by]}"


class Journal:
    """The note of an instance's data folder.

    Args:
        places: of the instance.
    """

    def __init__(self, places: Places) -> None:
        self.path = places.state / "restore.json"
        #: Where an older agent noted that it was going back.
        self._former = places.state.with_name("pocketbase-upgrades") / "state" / "restore.json"

    def read(self) -> Begun | None:
        """The run that was cut off, or is at work."""
        for path, by in ((self.path, RESTORE), (self._former, GOING_BACK)):
            if path.exists():
                return Begun(**{"by": by, **json.loads(path.read_bytes())})
        return None

    def write(self, begun: Begun) -> None:
        """From now on there is something to finish or to take back."""
        write_atomically(self.path, json.dumps(asdict(begun)).encode(), mode=0o600)

    def end(self) -> None:
        """Nothing is left of the run that `read` tells of."""
        begun = self.read()
        over = [self.path, self._former] if begun and begun.by == GOING_BACK else [self.path]
        for path in over:
            remove(path)

    def refuse_others(self, by: str) -> None:
        """Raises: UsageError when the other command was cut off; only that one can go on."""
        begun = self.read()
        if begun is not None and begun.by != by:
            raise UsageError(
                f"`{begun.by}` was cut off here, and the data of before is not back yet",
                where=begun.snapshot,
                hint=f"nothing was changed; {_GO_ON[begun.by]}",
            )
