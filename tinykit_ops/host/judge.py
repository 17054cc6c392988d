"""Whether a tinykit server is well: its own routes answer as they should, for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.own_server import ask
from tinykit_ops.host.units import Unit

#: How long it must be well without a break: a release that starts and then dies is not.
WELL_SECONDS = 4.0
#: How long it may take until it is well for the first time.
PATIENCE = 45.0
#: Seconds for one answer: a host that stands still for a moment has no bad release.
_ANSWER = 15.0
_PAUSE = 0.4


@dataclass(frozen=True)
class Question:
    """A read-only request, and what proves that tinykit itself answered it (tinykit-facts)."""

    path: str
    statuses: tuple[int, ...]
    holds: str


#: The page shell, the app's own API, a published app's data (for which it logs in at PocketBase),
#: and the picture that every tinykit has.
QUESTIONS = (
    Question("/login", (200,), "<"),
    Question("/api/setup", (200,), "needs_setup"),
    Question("/_tk/data/none/none", (404,), ""),
    Question("/_tk/assets/placeholder.jpg", (200,), "<svg"),
)


def judge(
    unit: Unit,
    url: str,
    seconds: float = WELL_SECONDS,
    *,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the server of `unit` has been well for `seconds`.

    Raises:
        UnavailableError: it is not well within `patience`, or not for long; with its last log
            lines.
    """
    deadline = time.monotonic() + patience
    while (fault := _fault(url)) and time.monotonic() < deadline and unit.is_active():
        sleep(_PAUSE)
    first = unit.identity()
    well_until = time.monotonic() + seconds
    while not fault and time.monotonic() < well_until:
        sleep(_PAUSE)
        fault = _fault(url)
        if not fault and unit.identity() != first:
            fault = "its process ended and was started anew"
    if fault:
        raise UnavailableError(
            f"{unit.name} is not well: {fault}; its last log lines:\n{unit.last_lines()}",
            where=url,
            hint="visitors still get the release from before; give another one and run again",
        )


def _fault(url: str) -> str:
    """What is wrong with one round of questions; empty when nothing is."""
    for question in QUESTIONS:
        try:
            answer = ask(url + question.path, _ANSWER)
        except requests.RequestException as error:
            return f"{question.path}: {type(error).__name__}"
        if answer.status_code not in question.statuses:
            return f"{question.path}: {answer.status_code}"
        if question.holds not in answer.text:
            return f"{question.path}: an answer that is not tinykit's"
    return ""
