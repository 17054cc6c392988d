"""The story of a move. Every step finds out by itself whether it was done, so a run that was killed
anywhere is finished by the next one, or taken back by `abort`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops.checks.fleet import look_at_hosts
from tinykit_ops.checks.model import Outcome
from tinykit_ops.checks.registry import select
from tinykit_ops.checks.runner import ON_HOST
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.fleet.ask import ask_one
from tinykit_ops.fleet.deploys import deploy_command
from tinykit_ops.migrate.plan import Move

WHOLE = ("full.py",)
#: A host fit for all of it, with an agent, and without anything that runs by itself.
AGENT_ONLY = ("preflight.py", "prepare.py")
LONG_SECONDS = 12 * 3600  #: for what takes as long as the data is big
Say = Callable[[str], None]


@dataclass(frozen=True)
class Window:
    """While nobody could write.

    Attributes:
        began, ended: by this machine's clock.
        seconds: between them; None when an interrupted run had begun it.
    """

    began: datetime | None
    ended: datetime
    seconds: float | None

    def __str__(self) -> str:
        end = f"{self.ended:%Y-%m-%dT%H:%M:%SZ}"
        if self.began is None:
            return f"read-only window: begun by the run before, ended {end}"
        return f"read-only window: {self.began:%Y-%m-%dT%H:%M:%SZ} to {end}, {self.seconds:.1f} s"


class Mover:
    """Moves an instance.

    Args:
        identity: the text of the private age key; empty when the target is not sealed.
        say: tells a person what happens.
    """

    def __init__(self, move: Move, identity: str, say: Say) -> None:
        self.move = move
        self._identity = identity
        self._say = say

    def run(self) -> Window | None:
        """Do what is left to do. Returns the window; None when it had ended before.

        Raises:
            TinykitOpsError: what went wrong; before the window nothing has changed for anybody, and
                within it the old host takes writes again.
        """
        move = self.move
        if move.is_done:
            self._on(move.old, "host", "move", "leave")
            return None
        if not move.window_is_open:
            self._provision_and_rehearse()
        window = self._window()
        self._on(move.old, "host", "move", "leave")
        return window

    def abort(self) -> None:
        """Let the old host take writes again, and the new one forget it.

        Raises:
            UsageError: the instance has arrived, and may have been written to there.
        """
        move = self.move
        if move.is_done:
            raise UsageError(
                f"the instance has arrived on {move.new}, and people may have written to it there",
                hint=f"`tinykit-ops migrate {move.new} {move.old}` moves it back with all of that",
            )
        self._on(move.old, "host", "move", "open")
        if not move.is_bare:
            self._on(move.new, "host", "move", "forget")

    def _provision_and_rehearse(self) -> None:
        move = self.move
        self._say(f"provisioning {move.new} ...")
        if move.is_bare:
            provision(move.inventory, move.new, AGENT_ONLY)
        # Before it has a schedule that would back up an empty instance beside the real one's
        # snapshots. And one that this instance has left refuses deploys until then.
        self._on(move.new, "host", "move", "receive", move.old)
        provision(move.inventory, move.new, WHOLE)
        self._say(f"rehearsal: {move.old} is backed up and restored on {move.new} ...")
        self._carry_over()
        self._refuse_new_findings()

    def _window(self) -> Window:
        move = self.move
        began = None if move.window_is_open else datetime.now(UTC)
        clock = time.monotonic()
        self._say(f"closing {move.old} ...")
        self._on(move.old, "host", "move", "close", move.new)
        self._say(f"  {move.old} refuses writes, since {datetime.now(UTC):%H:%M:%SZ} at the latest")
        try:
            self._carry_over()
            self._refuse_unhealthy()
        except TinykitOpsError:
            self._say(f"that did not work: {move.old} takes writes again")
            self._on(move.old, "host", "move", "open")
            raise
        except BaseException:
            self._say(f"stopped: {move.old} refuses writes; run the same again, or --abort")
            raise
        self._on(move.new, "host", "move", "arrive")
        seconds = time.monotonic() - clock if began else None
        return Window(began, datetime.now(UTC), seconds)

    def _carry_over(self) -> None:
        move = self.move
        only = f"--target={move.target}"
        said = self._on(move.old, "backup", "run", only, "--wait=60", "--format=json")
        snapshot = str(json.loads(said)[0]["snapshot"])
        listed = json.loads(self._on(move.new, "backup", "list", only, "--format=json"))
        if snapshot not in [row["id"] for row in listed[move.target]]:
            raise UsageError(
                f"{move.new} does not see what {move.old} wrote to {move.target}",
                hint="a directory has to be mounted on both, and a bucket's prefix be the same",
            )
        words = ["backup", "restore", snapshot, "--in-place", "--yes", "--no-safety-snapshot", only]
        if self._identity:
            words.append("--identity=/dev/stdin")
        self._on(move.new, *words, stdin=self._identity)
        self._say(f"  {snapshot} is on {move.new}")

    def _refuse_new_findings(self) -> None:
        """The new host's own checklist, beside the old one's."""
        move = self.move
        checks = [check.id for check in select((), ()) if check.looks_from in ON_HOST]
        looks = look_at_hosts(move.inventory, limit=[move.old, move.new], checks=checks)
        failing = {look.host: _failing(look.report) for look in looks if look.report}
        if move.new not in failing:
            raise UnavailableError(f"{move.new} could not be checked")
        new = failing[move.new] - failing.get(move.old, set()) - NOT_YET
        if new:
            raise UnavailableError(
                f"{move.new} has findings that {move.old} has not: {', '.join(sorted(new))}",
                where=move.new,
                hint="`tinykit-ops check --host` there tells more; mend them and run this again. "
                f"{move.old} serves as before",
            )
        self._say(f"  checked: no finding on {move.new} that {move.old} has not")

    def _refuse_unhealthy(self) -> None:
        said = ask_one(
            self.move.inventory, ["status", "--format=json"], limit=[self.move.new], codes=(0, 1, 2)
        )
        (host,) = json.loads(said.out or "")["hosts"]
        bad = [
            line["text"]
            for line in host["lines"]
            if line["name"] in ("services", "health") and line["level"] != "fine"
        ]
        if bad:
            raise UnavailableError(f"{self.move.new} is not well: {'; '.join(bad)}")

    def _on(self, host: str, *words: str, stdin: str = "") -> str:
        """Let a host's agent do something. Returns what it printed."""
        answer = ask_one(
            self.move.inventory, words, limit=[host], stdin=stdin, seconds=LONG_SECONDS
        )
        return answer.out or ""


#: What only time brings to a host that is new.
NOT_YET = {"backups.fresh", "backups.verified", "monitoring.nightly-check"}


def provision(inventory: Path, host: str, deploys: Sequence[str]) -> None:
    """Run deploys for one host; pyinfra's words go to standard error.

    Raises:
        UnavailableError: it failed.
    """
    words = deploy_command(inventory, host, deploys, "-y")
    done = subprocess.run(words, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise UnavailableError(
            f"{host} could not be provisioned",
            where=" ".join(words),
            hint="what pyinfra said above tells why; nothing has moved. Run this again",
        )


def _failing(report: object) -> set[str]:
    results = getattr(report, "results", ())
    return {one.check.id for one in results if one.verdict.outcome == Outcome.FAIL}
