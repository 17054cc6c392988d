"""Reading `waivers.toml`: every mistake in it is told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tinykit_ops.checks.registry import all_checks
from tinykit_ops.checks.waivers import Entry
from tinykit_ops.errors import AccessError, UsageError

_KEYS = ("id", "scope", "reason", "until")
_MAX_TEXT = 300  #: characters of a reason; reports show it beside the finding
_HINT = 'each begins with [[waiver]] and has id, scope ("*" is every host), reason and until'


def read_waivers(path: Path) -> list[Entry]:
    """The waivers of a file, in its order.

    Raises:
        UsageError: it is not there, no TOML, or names what does not exist.
        AccessError: this user may not read it.
    """
    return parse_waivers(waivers_text(path), str(path))


def waivers_text(path: Path) -> str:
    """What is in a file of waivers. Raises as `read_waivers`, except for what is in it."""
    try:
        return path.read_text(encoding="utf-8")
    except PermissionError:
        raise AccessError("This user may not read the waivers", where=str(path)) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"The waivers cannot be read: {reason}", where=str(path)) from None


def parse_waivers(text: str, where: str) -> list[Entry]:
    """The waivers in a text.

    Args:
        where: what the text is called in an error.

    Raises:
        UsageError: with everything that is wrong, except a missing reason or end, or a past
            end: these are findings.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"This is no TOML: {error}", where=where, hint=_HINT) from None
    rows = data.pop("waiver", [])
    if data or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        strange = ", ".join(map(repr, data)) or "'waiver'"
        raise UsageError(f"{strange} is no list of waivers", where=where, hint=_HINT)
    problems = [
        f"waiver {number} {problem}"
        for number, row in enumerate(rows, 1)
        for problem in _problems(row)
    ]
    if problems:
        raise UsageError("The waivers are wrong: " + "; ".join(problems), where=where, hint=_HINT)
    return [_entry(number, row) for number, row in enumerate(rows, 1)]


def _entry(number: int, row: Mapping[str, Any]) -> Entry:
    reason = " ".join(row.get("reason", "").split())
    return Entry(number, row["id"], row["scope"].strip(), reason, _day(row.get("until")))


def _problems(row: Mapping[str, Any]) -> Iterable[str]:
    for key in row:
        if key not in _KEYS:
            yield f"has {key!r}, which means nothing{_near(key, _KEYS)}"
    ids = [check.id for check in all_checks()]
    if row.get("id") not in ids:
        yield f"names no check: {row.get('id', '')!r}{_near(str(row.get('id', '')), ids)}"
    if not isinstance(row.get("scope"), str) or not row["scope"].strip():
        yield "has no scope"
    reason = row.get("reason", "")
    if not isinstance(reason, str) or len(reason) > _MAX_TEXT:
        yield f"has a reason that is no text of at most {_MAX_TEXT} characters"
    elif not " ".join(reason.split()).isprintable():
        yield "has a reason with control characters"
    try:
        _day(row.get("until"))
    except ValueError:
        yield "has an until that is no day such as 2027-01-31"


def _day(value: object) -> date | None:
    """A day, written as one or as a text of it. Raises ValueError."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("no day")


def _near(word: str, words: Iterable[str]) -> str:
    close = get_close_matches(word, list(words), 1)
    return f" (meant {close[0]}?)" if close else ""
