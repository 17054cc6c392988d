"""Taking over this very host's install, step by step; each step may be done again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.adopt.aside import Aside
from tinykit_ops.adopt.data import OldData
from tinykit_ops.adopt.deadline import arm, disarm
from tinykit_ops.adopt.judge import judge
from tinykit_ops.adopt.look import look_here
from tinykit_ops.adopt.model import Answers, Install
from tinykit_ops.adopt.old import Old
from tinykit_ops.adopt.ours import stop_ours
from tinykit_ops.adopt.record import Journal, Record
from tinykit_ops.adopt.running import HEALTHY_SECONDS, see_that_it_ended, see_that_it_serves
from tinykit_ops.adopt.snapshot import take_snapshot
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.differences import Difference, differences
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.snapshot import consistent_copy
from tinykit_ops.errors import UnavailableError, UsageError
from tinykit_ops.host.services import services
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.host.units import systemctl
from tinykit_ops.status.health import health_line
from tinykit_ops.status.model import Level

DATA = Path(layout.POCKETBASE_DATA)
Say = Callable[[str], None]


class Adoption:
    """The install of this host.

    Args:
        config: the agent's; a deploy has written it.
        answers: what a person said where a look cannot tell.
    """

    def __init__(
        self,
        config: AgentConfig,
        answers: Answers | None = None,
        journal: Journal | None = None,
        say: Say = print,
    ) -> None:
        self._config = config
        self._answers = answers or Answers()
        self._journal = journal or Journal()
        self._say = say

    def prepare(self, login: tuple[str, str] | None) -> Record:
        """A verified snapshot of the old install, which goes on.

        Raises:
            TinykitOpsError: there is none; nothing else was changed.
        """
        known = self._journal.read()
        if known is not None and known.state == "converting":
            return known
        install = self._look()
        folder = self._journal.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._data(install).need_space()
        snapshot = take_snapshot(self._config, install, folder, login)
        return self._journal.write(Record(state="prepared", install=install, snapshot=snapshot))

    def stop(self) -> Record:
        """Stop the old install, and put its data where an instance has its own.

        Raises:
            TinykitOpsError: it could not be done; `back` starts the old one again.
        """
        record = self._journal.must_read()
        if record.state == "prepared":
            record = self._begin(record)
        elif record.state != "converting":
            raise UsageError(
                "There is nothing to convert on this host",
                where=str(self._journal.folder),
                hint="`tinykit-ops adopt HOST` begins with a look and a snapshot",
            )
        data = self._data(record.install)
        if not record.aside:
            data.copy_uploads(still=False)
        arm()  # only now: copying takes as long as it takes, and the old install serves meanwhile
        if not record.aside:
            stopped = record.stopped or time.monotonic()
            Old(self._journal.folder, record.install).stop()
            see_that_it_ended(record.install)
            data.copy_uploads(still=True)  # what came meanwhile
            Aside(self._journal.folder, record.install).put()
            systemctl("daemon-reload")
            record = self._journal.update(record, aside=True, stopped=stopped)
        if not record.placed:
            self._place(record, data)
        return self._journal.must_read()

    def finish(self) -> Record:
        """See that the instance is well and has all that the old one had.

        Raises:
            UnavailableError: it is not, or has not.
        """
        record = self._journal.must_read()
        if record.state != "converting":
            raise UnavailableError(
                "The host went back to the old install by itself",
                where=layout.ADOPT_BACK_UNIT,
                hint=f"`journalctl -u {layout.ADOPT_BACK_UNIT}` says when",
            )
        settings = self._config.settings
        units = services(settings)
        down = [
            name
            for name, unit in units.items()
            if systemctl("is-active", unit, must=False) != "active"
        ]
        if down:
            raise UnavailableError(f"After the deploy, {', '.join(down)} does not run")
        line = health_line(settings)
        if line.level is not Level.FINE:
            raise UnavailableError(f"After the deploy, {line.text}")
        self._compare_rows(record)
        away = max(_began(units[name]) for name in ("tinykit", "edge")) - record.stopped
        disarm()
        return self._journal.update(record, state="done", away=max(away, 0.0))

    def loss(self) -> list[Difference]:
        """What was written since the old install stopped, and would be lost to it.

        Raises:
            UsageError: there is nothing to go back to.
        """
        record = self._back_from()
        former = self._data(record.install).stopped
        if not (DATA / "data.db").is_file() or not former.is_file():
            return []
        places = Places()
        with consistent_copy(places, self._config.secret(layout.HOOK_TOKEN)) as copy:
            return differences(former, copy)

    def back(self) -> Record:
        """Stop ours, and start the old install on its own data, which was never changed.

        Raises:
            UnavailableError: it does not come up.
        """
        record = self._back_from()
        stop_ours()
        Aside(self._journal.folder, record.install).restore()
        systemctl("daemon-reload")
        if DATA.is_dir() and record.rows:
            kept = DATA.with_name(f"pb_data.adopted-{datetime.now(UTC):%Y%m%d%H%M%S}")
            DATA.rename(kept)
            self._say(f"the instance's data stays in {kept}")
        Old(self._journal.folder, record.install).start()
        see_that_it_serves(record.install)
        disarm()
        return self._journal.update(record, state="back", aside=False, placed=False)

    def unfinished(self) -> bool:
        """Whether a conversion was begun and not ended."""
        record = self._journal.read()
        return record is not None and record.state == "converting"

    def _look(self, data: str = "") -> Install:
        answers = self._answers.model_copy(update={"data": data or self._answers.data})
        install = judge(look_here(), answers)
        if install.blockers:
            raise UsageError(
                f"The install cannot be converted: {install.blockers[0]}",
                hint="`tinykit-ops adopt HOST` lists all that is in the way",
            )
        return install

    def _data(self, install: Install) -> OldData:
        return OldData(Path(install.data), self._journal.folder)

    def _begin(self, record: Record) -> Record:
        """The old install as it is now: it may have been restarted since the snapshot."""
        install = self._look(record.install.data)
        if (DATA / "data.db").exists():
            raise UsageError(
                "There is data of an instance already",
                where=str(DATA),
                hint="move this folder away if nobody needs it",
            )
        shutil.rmtree(self._journal.folder / "files", ignore_errors=True)
        self._data(install).need_space()
        Old(self._journal.folder, install).note()
        return self._journal.update(
            record, state="converting", install=install, stopped=0.0, rows={}
        )

    def _place(self, record: Record, data: OldData) -> None:
        rows = record.rows or data.copy_databases()
        record = self._journal.update(record, rows=rows)
        data.place(DATA, layout.POCKETBASE_USER)
        self._journal.update(record, placed=True)

    def _compare_rows(self, record: Record) -> None:
        """Visitors may have added some since; none may be missing."""
        config = self._config
        wanted = {
            name: count
            for name, count in record.rows.items()
            if not name.startswith("_") or name.startswith("_tk_")
        }
        with as_superuser(config.settings, config.secret, wait=HEALTHY_SECONDS) as server:
            found = {name: server.count(name) for name in wanted}
        short = [name for name in wanted if found[name] < wanted[name]]
        if short:
            name = short[0]
            raise UnavailableError(
                f"Rows are missing: {name} has {found[name]} instead of {wanted[name]}",
                hint="the old data is as it was",
            )

    def _back_from(self) -> Record:
        record = self._journal.must_read()
        if record.state not in ("converting", "done"):
            raise UsageError(
                "The old install is not stopped: there is nothing to go back from",
                where=str(self._journal.folder),
            )
        return record


def _began(unit: str) -> float:
    """When a unit was up, in seconds of the kernel's clock."""
    return int(systemctl("show", "-p", "ActiveEnterTimestampMonotonic", "--value", unit) or 0) / 1e6
