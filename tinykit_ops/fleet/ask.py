"""Let the agents of an inventory do something, all at once; pyinfra's connectors carry it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.fleet.apart import ask_apart
from tinykit_ops.printable import printable

if TYPE_CHECKING:
    from tinykit_ops.settings.model import Settings

AGENT_SECONDS = 180  #: for one host's agent


class RefusedByAgentError(TinykitOpsError):
    """The agent of a host said no, with a text and an exit code of its own."""


@dataclass(frozen=True)
class Answer:
    """What one host's agent said.

    Attributes:
        host: its name in the inventory.
        settings: as the inventory says.
        out, err: what it printed; `out` is None when it was not asked.
        code: its exit code; None when it could not be asked.
        problem: why it could not.
    """

    host: str
    settings: Settings
    out: str | None
    err: str = ""
    code: int | None = None
    problem: str = ""

    @property
    def complaint(self) -> str:
        """What went wrong, in a printable line."""
        said = f"the agent on {self.host} said: {_complaint(self.err or self.out)}"
        return printable(self.problem or said)


def ask_hosts(
    inventory: Path,
    words: Sequence[str],
    *,
    limit: Iterable[str] = (),
    stdin: str = "",
    seconds: int | None = AGENT_SECONDS,
    follow: bool = False,
) -> list[Answer]:
    """Run `tinykit-ops WORDS` on the hosts of an inventory, as root.

    Args:
        inventory: a pyinfra inventory file.
        words: without any, nobody is asked and only the settings are read.
        limit: names of hosts; none means all.
        stdin: for each agent; the way for secrets.
        seconds: for one host; None waits for ever.
        follow: print what the agents say at once, with the host's name before each line.

    Raises:
        UsageError: the inventory is wrong, or has no such host.
        UnavailableError: pyinfra could not be run.
    """
    request = {
        "inventory": str(inventory),
        "limit": list(limit),
        "words": list(words),
        "stdin": stdin,
        "seconds": seconds,
        "follow": follow,
    }
    answer = ask_apart("child", request, follow=follow)
    if problem := answer.get("problem"):
        what = "The hosts of the inventory could not be asked"
        raise UnavailableError(what, where=str(inventory), hint=str(problem))
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return [_read(each) for each in answer["hosts"]]


def ask_one(
    inventory: Path,
    words: Sequence[str],
    *,
    limit: Iterable[str] = (),
    stdin: str = "",
    seconds: int = AGENT_SECONDS,
    codes: Collection[int] = (0,),
) -> Answer:
    """The same on a single host: the one that `limit` names, or the only one.

    Args:
        codes: exit codes that are an answer, and no refusal.

    Raises:
        UsageError: it is not clear which host is meant.
        RefusedByAgentError: the agent says no; its words and its exit code.
        UnavailableError: it could not be asked.
    """
    hosts = [answer.host for answer in ask_hosts(inventory, [], limit=limit)]
    if len(hosts) != 1:
        raise UsageError(
            "This is done on one host at a time, and it is not clear which",
            where=str(inventory),
            hint=f"--limit HOST chooses one: {', '.join(hosts)}",
        )
    (answer,) = ask_hosts(inventory, words, limit=hosts, stdin=stdin, seconds=seconds)
    if answer.problem:
        raise UnavailableError(answer.problem, hint="is it up, and does SSH to it work?")
    if answer.code not in codes:
        error = RefusedByAgentError(_refusal(answer.err), where=answer.host)
        error.exit_code = answer.code  # type: ignore[assignment]
        raise error
    return answer


def _read(answer: dict[str, Any]) -> Answer:
    from tinykit_ops.settings.model import Settings  # a look without inventory starts faster

    settings = Settings.model_validate(answer["settings"])
    more = {name: answer[name] for name in ("out", "err", "code", "problem")}
    return Answer(str(answer["host"]), settings, **more)


def _refusal(err: str) -> str:
    """An agent's error, its where and hint included, without the word before it."""
    return err.strip().removeprefix("error: ")[-2000:] or "the agent said nothing"


def _complaint(text: str | None) -> str:
    """The line of an error message that names the error."""
    lines = [line for line in (text or "").splitlines() if line.strip()]
    named = [line for line in lines if line.lower().startswith("error")]
    return (named or lines or ["nothing"])[0][:200]
