"""What the agent does on each of the two hosts of a move."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.errors import BusyError, TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.host.serving import PROJECTS, Agents
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.host.units import systemctl
from tinykit_ops.migrate import arriving
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseError

#: PocketBase's answer while `templates/pocketbase/hooks/tinykit_ops/moved.js` refuses writes.
REFUSED = 503
#: What would go on with data that is old by now; the deploy writes them again.
SCHEDULES = (layout.CRON_FILE, layout.CHECKS_CRON_FILE, layout.WATCH_CRON_FILE)
HEALTHY_SECONDS = 60.0


@dataclass(frozen=True)
class State:
    """How a host stands in a move.

    Attributes:
        moved_to: the host that its instance moves, or has moved, to.
        comes_from: the host that its instance comes from.
        arrived: whether that has been finished.
        projects: how many there are; None when PocketBase cannot tell.
        agents: names of projects whose AI agent is at work.
    """

    moved_to: str = ""
    comes_from: str = ""
    arrived: bool = False
    projects: int | None = None
    agents: tuple[str, ...] = ()

    def to_json(self) -> str:
        """For the controller."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Files:
    """Where a host notes it; tests have others."""

    moved: Path = Path(layout.MOVED_FILE)
    refuses: Path = Path(layout.POCKETBASE_MOVED)
    arriving: Path = Path(layout.ARRIVING_FILE)
    schedules: tuple[Path, ...] = tuple(map(Path, SCHEDULES))


class Here:
    """This host's part in a move.

    Args:
        restart: stops and starts PocketBase, so that no write of before is still on its way.
    """

    def __init__(
        self,
        config: AgentConfig,
        files: Files | None = None,
        url: str = layout.POCKETBASE_URL,
        restart: Callable[[], None] | None = None,
    ) -> None:
        self._config = config
        self._files = files or Files()
        self._url = url
        self._restart = restart or _restart

    def state(self) -> State:
        """How it stands; only looks."""
        coming = self._arriving()
        projects, agents = self._content()
        return State(
            moved_to=_line(self._files.moved),
            comes_from=str(coming.get("from", "")),
            arrived=bool(coming.get("arrived")),
            projects=projects,
            agents=agents,
        )

    def close(self, to: str) -> None:
        """Refuse every write from now on, and wait for those that had begun.

        Raises:
            UsageError: the instance moves somewhere else already.
            UnavailableError: writes are not refused; nothing has changed then.
        """
        known = _line(self._files.moved)
        if known not in ("", to):
            raise UsageError(
                f"this instance moves to {known} already",
                hint=f"finish that, or `tinykit-ops migrate HOST {known} --abort`",
            )
        write_atomically(self._files.moved, f"{to}\n".encode(), mode=0o600)
        # PocketBase's user reads it; it says no more than that somebody is moving.
        write_atomically(self._files.refuses, b"moved\n")
        try:
            self._restart()
            self._see_that_writes_are_refused()
        except BaseException:
            self.open()
            raise

    def open(self) -> None:
        """Take writes again."""
        self._files.refuses.unlink(missing_ok=True)
        self._files.moved.unlink(missing_ok=True)

    def leave(self) -> None:
        """The instance is elsewhere: nothing is done by a schedule here any more."""
        if not _line(self._files.moved):
            raise UsageError("this instance has not moved", hint="`host move close` comes before")
        self._unschedule()
        self._files.arriving.unlink(missing_ok=True)

    def receive(self, comes_from: str) -> None:
        """Be the host that the instance moves to; one that came from here may come back.

        Raises:
            BusyError: another instance is arriving.
        """
        coming = self._arriving()
        if coming.get("from") not in (None, comes_from) and not coming.get("arrived"):
            raise BusyError(
                f"an instance is arriving here from {coming['from']}",
                where=str(self._files.arriving),
                hint="finish that move, or abort it",
            )
        moved = _line(self._files.moved)
        if moved not in ("", comes_from):
            raise UsageError(f"the instance of this host has moved to {moved}, another one")
        self._note({"from": comes_from})
        self.open()

    def arrive(self) -> None:
        """The instance is here now."""
        self._note({**self._arriving(), "arrived": True})

    def forget(self) -> None:
        """An instance that was arriving does not come: its copy here is backed up no more."""
        coming = self._arriving()
        if coming and not coming.get("arrived"):
            self._unschedule()
            self._files.arriving.unlink(missing_ok=True)

    def _unschedule(self) -> None:
        for schedule in self._files.schedules:
            schedule.unlink(missing_ok=True)

    def _arriving(self) -> dict[str, Any]:
        return arriving.read(self._files.arriving)

    def _note(self, told: dict[str, object]) -> None:
        write_atomically(self._files.arriving, json.dumps(told).encode(), mode=0o600)

    def _content(self) -> tuple[int | None, tuple[str, ...]]:
        with suppress(TinykitOpsError), self._superuser(2) as pocketbase:
            projects = list(pocketbase.records(PROJECTS, "agent_chat ~ 'running'"))
            return pocketbase.count(PROJECTS), tuple(Agents(lambda: projects)())
        return None, ()

    def _see_that_writes_are_refused(self) -> None:
        with self._superuser(HEALTHY_SECONDS) as pocketbase:
            said = _answer_to_a_write(pocketbase)
        if said != REFUSED:
            raise UnavailableError(
                f"PocketBase answers {said} to a write, although this instance is closed",
                where=self._url,
                hint="its hooks are older: `pyinfra INVENTORY deploys/full.py` on this host first",
            )

    def _superuser(self, wait: float) -> AbstractContextManager[PocketBase]:
        return as_superuser(self._config.settings, self._config.secret, self._url, wait=wait)


def _answer_to_a_write(pocketbase: PocketBase) -> int:
    """The status of a write that is wrong, so that it changes nothing where it is not refused."""
    try:
        pocketbase.create_record(PROJECTS, {"id": "no"})
    except PocketBaseError as error:
        return error.status
    return 200


def _restart() -> None:
    systemctl("restart", layout.POCKETBASE_UNIT)


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
