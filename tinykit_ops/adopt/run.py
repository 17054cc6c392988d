"""The whole story, from the controller: prepare, show, convert; or back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.adopt.model import Answers, Install
from tinykit_ops.adopt.pyinfra_runs import Deploys
from tinykit_ops.adopt.record import Record
from tinykit_ops.errors import Exit, TinykitOpsError, UnavailableError
from tinykit_ops.fleet.ask import ask_one

#: Copying data takes as long as it takes; the host goes back by itself when nobody finishes.
SECONDS = 6 * 3600
Say = Callable[[str], None]


class WentBackError(UnavailableError):
    """The conversion failed, and the old install serves again."""


@dataclass(frozen=True)
class Conversion:
    """One host that is taken over.

    Args:
        confirm: asks a yes-or-no question; raises when the answer is no.
    """

    inventory: Path
    host: str
    answers: Answers
    say: Say
    confirm: Callable[[str], object]

    def prepare(self, install: Install, login: str) -> Record:
        """The agent beside the old install, and a verified snapshot of that.

        Args:
            login: two lines, a superuser's e-mail address and password; or nothing.

        Raises:
            TinykitOpsError: the old install was not touched.
        """
        self.say("preparing: packages, users, the agent, programs, the release, fail2ban ...")
        self._deploys.run("prepare.py")
        self.say(f"a snapshot of {install.data}, and its verification ...")
        record = self._ask("adopt-prepare", *self._words(), stdin=login)
        version = record.install.pocketbase
        self.say(f"snapshot {record.snapshot} comes back: PocketBase {version} was booted on it")
        return record

    def show(self, record: Record) -> None:
        """What would change."""
        install = record.install
        changes = self._deploys.changes("full.py")
        self.say("A conversion stops and disables:")
        for piece in install.pieces:
            self.say(f"  {'+'.join(piece.roles)}: {piece.kind} {piece.name}")
        self.say(
            f"copies {install.data} (it stays as it is) and then makes {len(changes)} changes:"
        )
        for name in changes:
            self.say(f"  {name}")
        for loss in install.losses:
            self.say(f"  and: {loss}")

    def convert(self) -> Record:
        """Do it.

        Raises:
            WentBackError: it failed, and the old install serves again.
            TinykitOpsError: it failed, and going back did as well.
        """
        try:
            self.say("stopping the old install, and copying its data ...")
            self._ask("adopt-stop")
            self.say("deploying ...")
            self._deploys.run("full.py")
            return self._ask("adopt-finish")
        except KeyboardInterrupt:
            self.say("going back ...")
            self.back(unfinished=True)
            raise
        except TinykitOpsError as error:
            if error.exit_code == Exit.TRY_AGAIN:
                raise  # another run is at it, and nothing was done by this one
            self.say(f"failed: {error.what}")
            self.say("going back ...")
            self.back(unfinished=True)
            raise WentBackError(
                f"The conversion failed, and the old install serves again: {error.what}",
                where=error.where,
                hint=error.hint,
            ) from None

    def loss(self) -> list[str]:
        """What was written since, in lines."""
        answer = ask_one(self.inventory, ["host", "adopt-loss"], limit=[self.host], seconds=SECONDS)
        found: list[str] = json.loads(answer.out or "[]")
        return found

    def back(self, *, unfinished: bool = False) -> None:
        """Go back to the old install.

        Args:
            unfinished: only when it was stopped, and the conversion did not come to its end.
        """
        only = ["--unfinished"] if unfinished else []
        answer = ask_one(
            self.inventory, ["host", "adopt-back", *only], limit=[self.host], seconds=SECONDS
        )
        for line in (answer.out or "").splitlines():
            self.say(line)

    @property
    def _deploys(self) -> Deploys:
        return Deploys(self.inventory, self.host)

    def _words(self) -> list[str]:
        return [f"--pocketbase-data={self.answers.data}"] if self.answers.data else []

    def _ask(self, *words: str, stdin: str = "") -> Record:
        answer = ask_one(
            self.inventory, ["host", *words], limit=[self.host], stdin=stdin, seconds=SECONDS
        )
        return Record.model_validate_json(answer.out or "")
