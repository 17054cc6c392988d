"""The journal of an instance: all of its programs in one stream, by the names that people use."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from tinykit_ops import layout
from tinykit_ops.checks.model import clean
from tinykit_ops.errors import UsageError
from tinykit_ops.host.services import services
from tinykit_ops.settings import Settings

TAG = "tinykit-ops"  #: of what cron runs
CHECK = "check: "  #: begins the lines of the nightly look, which shares the tag with backups
NAMES = ("tinykit", "pocketbase", "edge", "backups", "checks", "firewall")
_POLL_SECONDS = 1.0
_SYSTEMD = "1"  #: its process id


@dataclass(frozen=True)
class Wanted:
    """What is to be shown.

    Attributes:
        names: of `NAMES`; none means all.
        since: as journalctl understands it; empty for the beginning.
        lines: how many of the newest.
        grep: a regular expression that a shown line must match; empty for all.
    """

    names: Sequence[str] = ()
    since: str = ""
    lines: int = 100
    grep: str = ""


def show(
    wanted: Wanted,
    settings: Settings,
    mask: Callable[[str], str],
    echo: Callable[[str], None],
    *,
    follow: bool = False,
) -> None:
    """Tell the lines, the oldest first.

    Args:
        mask: takes secrets out of a line.
        follow: go on with new ones until whoever reads them has gone.

    Raises:
        UsageError: the expression or the time cannot be understood.
    """
    pattern = _pattern(wanted.grep)
    sources = Sources(settings, wanted.names)
    words = ["journalctl", "--no-pager", "--quiet", "--output=json", *sources.matches()]
    past = [f"--since={wanted.since}"] if wanted.since else []
    if not wanted.grep and sources.takes_all_it_gets:
        past.append(f"--lines={wanted.lines}")

    def readable(rows: Iterable[str]) -> Iterator[str]:
        lines = (line for row in rows if (line := sources.line_of(row)))
        return (line for line in map(mask, lines) if pattern.search(line))

    for line in deque(readable(_all_of([*words, *past])), maxlen=wanted.lines):
        echo(line)
    if follow:
        after = f"--after-cursor={sources.cursor}" if sources.cursor else "--since=now"
        for line in readable(_new_of([*words, "--follow", "--no-tail", after])):
            echo(line)


class Sources:
    """Which entries of the journal belong to an instance, and under which name."""

    def __init__(self, settings: Settings, names: Sequence[str] = ()) -> None:
        self.names = tuple(names) or NAMES
        self.cursor = ""  #: where the last entry that was read stands in the journal
        units = services(settings)
        self.units = {units[name]: name for name in self.names if name in units}
        if "tinykit" in self.names:
            self.units[layout.TINYKIT_STANDBY_UNIT] = "tinykit"
        if "firewall" in self.names:
            others = (layout.FIREWALL_REFRESH_TIMER, layout.FIREWALL_ROLLBACK_TIMER)
            self.units |= {unit.replace(".timer", ".service"): "firewall" for unit in others}

    @property
    def takes_all_it_gets(self) -> bool:
        """Whether none of what journalctl finds is left out here."""
        return len({"backups", "checks"} & set(self.names)) != 1

    def matches(self) -> list[str]:
        """For journalctl: what a unit said, what systemd said of it, and what cron's runs said."""
        found = [[f"_SYSTEMD_UNIT={unit}"] for unit in self.units]
        # These two fields any program can write, so it counts who did.
        found += [[f"UNIT={unit}", f"_PID={_SYSTEMD}"] for unit in self.units]
        if {"backups", "checks"} & set(self.names):
            found.append([f"SYSLOG_IDENTIFIER={TAG}", "_UID=0"])
        return [word for match in found for word in (*match, "+")][:-1]

    def line_of(self, row: str) -> str:
        """A line for people out of journalctl's JSON; empty when it is not wanted."""
        try:
            entry: dict[str, Any] = json.loads(row)
            moment = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        except (ValueError, KeyError, TypeError):
            return ""
        self.cursor = str(entry.get("__CURSOR", ""))
        text = _text(entry.get("MESSAGE"))
        name = self._name_of(entry, text)
        if name not in self.names:
            return ""
        return f"{moment:%Y-%m-%d %H:%M:%S} {name:10} {clean(text)}"

    def _name_of(self, entry: dict[str, Any], text: str) -> str:
        by_systemd = entry.get("_PID") == _SYSTEMD
        for field in ("UNIT", "_SYSTEMD_UNIT") if by_systemd else ("_SYSTEMD_UNIT",):
            unit = entry.get(field)
            if isinstance(unit, str) and unit in self.units:
                return self.units[unit]
        return "checks" if text.startswith(CHECK) else "backups"


def _text(message: object) -> str:
    """journalctl gives text that is no UTF-8 as a list of bytes, none for what is too long, and a
    list of such texts for who said several things at once."""
    if isinstance(message, list):
        if all(isinstance(each, int) for each in message):
            return bytes(message).decode(errors="replace")
        return " ".join(map(_text, message))
    return "(too long)" if message is None else str(message)


def _pattern(grep: str) -> re.Pattern[str]:
    try:
        return re.compile(grep)
    except re.error as error:
        raise UsageError(
            f"--grep is no regular expression: {error}", hint="escape special characters with \\"
        ) from None


def _all_of(words: Sequence[str]) -> Iterator[str]:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, errors="replace", **pipes) as process:
        yield from process.stdout or ()
        complaint = process.stderr.read().strip() if process.stderr else ""
        if process.wait() != 0 and complaint:
            raise UsageError(f"journalctl said: {complaint.splitlines()[0]}")


def _new_of(words: Sequence[str]) -> Iterator[str]:
    """Lines as they come, until nobody reads ours any more: without a terminal, no signal tells."""
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101
        try:
            yield from _lines_while_read(process.stdout)
        finally:
            process.kill()


def _lines_while_read(source: IO[bytes], out: int = 1) -> Iterator[str]:
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(out, 0)  # errors are always told: the other end of the pipe was closed
    rest = b""
    while True:
        events = dict(poll.poll(_POLL_SECONDS * 1000))
        if out in events:
            return
        if source.fileno() not in events:
            continue
        chunk = os.read(source.fileno(), 65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
