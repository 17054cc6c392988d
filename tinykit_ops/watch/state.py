"""What the watch remembers between two looks: a small file, replaced at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tinykit_ops import layout
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.status import STATUS_FILE
from tinykit_ops.watch.follow import Position
from tinykit_ops.watch.judge import Learnt
from tinykit_ops.watch.problems import News, Watched
from tinykit_ops.watch.traffic import Slice


class State(BaseModel):
    """All of it.

    Attributes:
        slices: that have not ended yet, by their start.
        since: start of the first slice that was not judged yet; 0 before the first look.
        owed: by channel, the news that it has not been told.
        totals: all requests that were ever read; only ever more.
        certificates: when they were looked at last; a handshake a minute would be too many.
        shown: name → begin and end of its certificate, as seen then.
        looked: when the last look ended.
    """

    position: Position = Position()
    slices: dict[int, Slice] = {}
    since: int = 0
    learnt: Learnt = Learnt()
    watched: dict[str, Watched] = {}
    owed: dict[str, list[News]] = {}
    totals: Slice = Slice(start=0)
    certificates: float = 0.0
    shown: dict[str, tuple[float, float]] = {}
    looked: float = 0.0

    @property
    def problems(self) -> dict[str, Watched]:
        """What is wrong now, by id."""
        return {name: one for name, one in self.watched.items() if one.since}


@dataclass(frozen=True)
class WatchPlaces:
    """The paths of one host, so that tests can move them."""

    state: Path = Path(layout.WATCH_STATE)
    lock: Path = Path(layout.WATCH_LOCK)
    backup_status: Path = STATUS_FILE
    metrics: Path = Path(layout.WATCH_METRICS)

    @property
    def file(self) -> Path:
        """The state."""
        return self.state / "state.json"


def read_state(path: Path, log: Callable[[str], None]) -> State:
    """The state; a new one when there is none or it is damaged: learning begins again then."""
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return State()
    except ValidationError:
        log(f"warning: {path} is damaged: what is usual has to be learnt again")
        return State()


def write_state(path: Path, state: State) -> None:
    """Keep it, for root alone."""
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    write_atomically(path, state.model_dump_json().encode(), mode=0o600)
