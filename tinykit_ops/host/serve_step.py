"""Let a release serve without a gap: a standby takes the visitors while the server is replaced.

At rest one server runs, `tinykit.service` on its port. To replace it, the standby starts with the
wanted release beside it and is judged; only when it is well the edge sends visitors to it
(`layout.TINYKIT_STANDBY_SERVES`, which both proxies look for at each request). Then the server ends
what it was at, starts anew, is judged, and gets the visitors back. So a release that is not well
never serves, and whatever ends this run half-way, one of the two serves; the next run goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.host.judge import WELL_SECONDS, judge
from tinykit_ops.host.release_store import ReleaseStore
from tinykit_ops.host.units import Unit

TINYKIT_FILES = (
    f"/etc/systemd/system/{layout.TINYKIT_UNIT}",
    layout.TINYKIT_ENVIRONMENT,
    layout.TINYKIT_CURRENT,
    f"{layout.NODE_HOME}/current",
    *layout.DOCKER_READ,  # not there without containers
)
STANDBY_URL = f"http://127.0.0.1:{layout.TINYKIT_STANDBY_PORT}"
#: What was sent on to a server before the edge changed its mind has reached it by then; seconds.
SETTLE = 1.0
#: How long running agents of the builder are waited for; they live in the old process.
AGENT_SECONDS = 120.0


class ServeStep:
    """Make tinykit's unit run a release, and the current one of the host.

    Args:
        release: id of an unpacked release; empty for the current one.
        agents: names the projects whose agent runs; a server is not ended while there are any.
        migrate: gives PocketBase a release's migrations; raises when they do not work.
        store, server, standby, flag: the host's own, or others in tests.
        prepare: brings what the release runs in, such as an image; raises when it cannot.
        tidy: is called when old releases were removed.
        judged: raises when a unit's server is not well for so many seconds.
        say: takes a line of progress.
    """

    def __init__(
        self,
        release: str = "",
        agents: Callable[[], list[str]] = list,
        *,
        migrate: Callable[[str], None],
        store: ReleaseStore | None = None,
        server: Unit | None = None,
        standby: Unit | None = None,
        flag: Path = Path(layout.TINYKIT_STANDBY_SERVES),
        prepare: Callable[[], None] = lambda: None,
        tidy: Callable[[], None] = lambda: None,
        judged: Callable[[Unit, str, float], None] = judge,
        say: Callable[[str], None] = print,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store or ReleaseStore()
        self._wanted = release or self._store.current()
        self._agents = agents
        self._migrate = migrate
        image = f"{layout.DOCKER_BUILT}/{self._store.current()}"  # of a container
        self._server = server or Unit(layout.TINYKIT_UNIT, (*TINYKIT_FILES, image), boots=True)
        self._standby = standby or Unit(layout.TINYKIT_STANDBY_UNIT)
        self._flag = flag
        self._prepare = prepare
        self._tidy = tidy
        self._judged = judged
        self._say = say
        self._sleep = sleep

    def pending(self) -> list[str]:
        """What is left: another release, a server with former files, a standby that still runs."""
        left = self._server.faults()
        if self._store.current() != self._wanted:
            left.append(f"serve release {self._wanted}")
        if not self._store.has_migrations_of(self._wanted):
            left.append("PocketBase's migrations are another release's")
        if self._flag.exists() or self._standby.is_active():
            left.append("the standby is to leave")
        return left

    def apply(self) -> None:
        """Bring the wanted release to serve; at every moment somebody serves who is well.

        Raises:
            UsageError: the release is not on this host.
            UnavailableError: the release is not well; what served before still does.
        """
        if not self._wanted or not (self._store.folder / self._wanted).is_dir():
            raise UsageError(
                f"There is no release {self._wanted!r} on this host.",
                where=str(self._store.folder),
                hint="`tinykit-ops release list` shows those that are",
            )
        self._prepare()
        if not self._server.is_active() and not self._standby.is_active():
            self._start_server(0)  # nobody is served, so nobody has to be spared
        elif self._replaces():
            self._hand_to_standby()
            self._replace_server()
        self._take_back()
        self._store.prune()
        self._tidy()

    def _replaces(self) -> bool:
        return self._store.current() != self._wanted or bool(self._server.faults())

    def _hand_to_standby(self) -> None:
        """The standby runs the wanted release, is well, and has the visitors."""
        if self._flag.exists() and self._standby.is_active():
            return  # an earlier run came this far; visitors are on it, so it must not be touched
        self._store.point("standby", self._wanted)
        self._migrate(self._wanted)
        self._say(f"starting release {self._wanted} beside the one that serves")
        try:
            self._standby.start()
            self._judged(self._standby, STANDBY_URL, WELL_SECONDS)
        except UnavailableError:
            self._standby.stop()
            raise
        self._flag.touch()
        self._say("the standby serves")

    def _replace_server(self) -> None:
        """The server ends what it was at, and runs the wanted release."""
        self._wait_for_agents()
        self._start_server(WELL_SECONDS)

    def _start_server(self, seconds: float) -> None:
        self._migrate(self._wanted)
        self._store.make_current(self._wanted)
        self._server.start()
        self._judged(self._server, layout.TINYKIT_URL, seconds)
        self._say(f"release {self._wanted} runs")

    def _take_back(self) -> None:
        """The server has the visitors again, and the standby has ended."""
        if not (self._flag.exists() or self._standby.is_active()):
            return
        self._judged(self._server, layout.TINYKIT_URL, 0)
        self._flag.unlink(missing_ok=True)
        self._wait_for_agents()
        self._standby.stop()

    def _wait_for_agents(self) -> None:
        """An agent of the builder lives in one process, and would end with it."""
        self._sleep(SETTLE)
        deadline, told = time.monotonic() + AGENT_SECONDS, ""
        while running := ", ".join(self._agents()):
            if time.monotonic() > deadline:
                self._say(f"not waited for any longer: the agent of {running}")
                return
            if running != told:
                self._say(f"waiting for the agent of {running}")
                told = running
            self._sleep(2.0)
