"""Finding the checks: every module in `areas` is imported, and every `@check` in it counts.

@check(
    id="https.redirect",
    title="HTTP leads to HTTPS",
    area=Area.HTTPS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist="Enable HTTPS",
    remedy=Remedy(by_hand="..."),
)
def http_leads_to_https(look: Context) -> Verdict:
    ...
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module

from tinykit_ops.checks.model import (
    Area,
    Check,
    Need,
    Remedy,
    Severity,
    Vantage,
    Verdict,
)
from tinykit_ops.errors import UsageError

Look = Callable[..., Verdict]
_ID = re.compile(r"[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*")
_MARK = "tinykit_ops_check"


def check(
    *,
    id: str,
    title: str,
    area: Area,
    severity: Severity,
    looks_from: Vantage,
    checklist: str,
    remedy: Remedy,
    needs: Sequence[Need] = (),
) -> Callable[[Look], Look]:
    """Declare a function to be a check; see `model.Check` for the words.

    Raises:
        ValueError: the id has the wrong form, or starts with another area's name.
    """
    if not _ID.fullmatch(id) or not id.startswith(f"{area.value}."):
        raise ValueError(f"check id {id!r}: want {area.value}.words-with-dashes")

    def declare(look: Look) -> Look:
        declared = Check(
            id, title, area, severity, looks_from, checklist, remedy, look, tuple(needs)
        )
        setattr(look, _MARK, declared)
        return look

    return declare


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check there is, by area and in the order of its module.

    Raises:
        ValueError: two checks carry one id.
    """
    areas = import_module("tinykit_ops.checks.areas")
    found: list[Check] = []
    for module in pkgutil.iter_modules(areas.__path__):
        members = vars(import_module(f"{areas.__name__}.{module.name}")).values()
        found += [
            getattr(member, _MARK)
            for member in members
            if hasattr(member, _MARK) and member.__module__.endswith(f".{module.name}")
        ]
    ids = [each.id for each in found]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise ValueError(f"more than one check is called {', '.join(twice)}")
    order = list(Area)
    return tuple(sorted(found, key=lambda each: order.index(each.area)))


def check_named(check_id: str) -> Check:
    """The check of that id. Raises UsageError when there is none."""
    for each in all_checks():
        if each.id == check_id:
            return each
    close = get_close_matches(check_id, [each.id for each in all_checks()], 1)
    raise UsageError(
        f"There is no check {check_id!r}",
        hint="".join(f"{each} is near. " for each in close)
        + "`tinykit-ops check list` shows them all.",
    )


def select(only: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks that somebody asked for.

    Args:
        only: ids, areas or vantages; empty means all.
        skip: ids, areas or vantages to leave out.

    Raises:
        UsageError: a word that names nothing, or nothing is left.
    """
    known = {word for each in all_checks() for word in _words(each)}
    for word in [*only, *skip]:
        if word not in known:
            raise UsageError(
                f"{word!r} is no check, area or vantage",
                hint="`tinykit-ops check list` shows them all.",
            )
    chosen = tuple(
        each
        for each in all_checks()
        if (not only or _words(each) & set(only)) and not _words(each) & set(skip)
    )
    if not chosen:
        raise UsageError("No check is left to run", hint="Give fewer --skip or other --only.")
    return chosen


def _words(each: Check) -> set[str]:
    return {each.id, each.area.value, each.looks_from.value}
