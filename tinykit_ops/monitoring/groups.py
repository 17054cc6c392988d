"""Hosts of an inventory that have the same bounds, for alert rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinykit_ops.settings.inventory import HostSettings
from tinykit_ops.settings.watch import WatchSettings


@dataclass(frozen=True)
class Bounds:
    """What is too much or too little; see `WatchSettings`."""

    disk_free_percent: int
    memory_free_percent: int
    certificate_days: int
    backup_hours: int
    verify_days: int
    login_failures: int


@dataclass(frozen=True)
class Group:
    """Some hosts.

    Attributes:
        selector: a matcher of PromQL for them; empty for all hosts there are.
    """

    bounds: Bounds
    selector: str = ""


def groups_of(hosts: Sequence[HostSettings]) -> list[Group]:
    """One group for each set of bounds; without hosts, the defaults for all."""
    names: dict[Bounds, list[str]] = {}
    for one in hosts:
        names.setdefault(_bounds(one.settings.watch), []).append(one.host)
    if len(names) <= 1:
        return [Group(next(iter(names), _bounds(WatchSettings())))]
    return [Group(bounds, _selector(those)) for bounds, those in names.items()]


def _bounds(watch: WatchSettings) -> Bounds:
    return Bounds(**{name: getattr(watch, name) for name in Bounds.__dataclass_fields__})


def _selector(names: Sequence[str]) -> str:
    # A backslash would have to be written twice in PromQL; a class of one character has none.
    patterns = [re.sub(r"([^\w-])", r"[\1]", name) for name in names]
    return f'instance=~"({"|".join(patterns)})(:[0-9]+)?"'
