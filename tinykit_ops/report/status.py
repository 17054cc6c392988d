"""A status for people and as JSON: a screen for one host, a table for many."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tinykit_ops.fleet.ask import Answer
from tinykit_ops.printable import printable
from tinykit_ops.report.tables import table_text
from tinykit_ops.status.model import HostStatus, Level, read_status

_MARKS = {Level.FINE: "", Level.WRONG: "! ", Level.UNKNOWN: "? "}
_WORDS = {Level.FINE: "fine", Level.WRONG: "WRONG", Level.UNKNOWN: "unknown"}
_PROGRAMS = ("tinykit", "pocketbase", "proxy", "agent")
_COLUMNS = ("services", "health", "certificate", "backup", "verify", "checks", "disk", "changes")


def status_of(answer: Answer) -> HostStatus:
    """What an agent said of its host, or why it could not be asked."""
    try:
        if answer.out is None or answer.code is None:
            raise ValueError
        (only,) = json.loads(answer.out)["hosts"]
        return read_status(only, answer.host)
    except (ValueError, KeyError, TypeError, AttributeError):
        return HostStatus(answer.host, problem=answer.complaint)


def status_json(hosts: Sequence[HostStatus]) -> str:
    """One document."""
    document = {"format": 1, "hosts": [host.to_json() for host in hosts]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def status_text(hosts: Sequence[HostStatus]) -> str:
    """A screen for one host; for several a row each, and below what is not fine."""
    return printable(_screen(hosts[0]) if len(hosts) == 1 else _table(hosts))


def _screen(host: HostStatus) -> str:
    if host.problem:
        return f"{host.host}: unknown: {host.problem}\n"
    rows = [(_WORDS[line.level], line.name, line.text) for line in host.lines]
    versions = ", ".join(f"{name} {version}" for name, version in host.versions.items())
    return f"{host.host}: {_WORDS[host.level]}\n{versions}\n" + table_text(("", "", ""), rows)


def _table(hosts: Sequence[HostStatus]) -> str:
    rows = []
    for host in hosts:
        seen = {line.name: f"{_MARKS[line.level]}{line.short}" for line in host.lines}
        programs = [host.versions.get(name, "?") for name in _PROGRAMS]
        cells = [seen.get(name, "?") for name in _COLUMNS]
        rows.append((host.host, _WORDS[host.level], *programs, *cells))
    text = table_text(("host", "", *_PROGRAMS, *_COLUMNS), rows, width=220)
    return text + "".join(map(_remarks, hosts))


def _remarks(host: HostStatus) -> str:
    if host.problem:
        return f"{host.host}: {host.problem}\n"
    bad = [line for line in host.lines if line.level is not Level.FINE]
    return "".join(f"{host.host}: {line.name}: {line.text}\n" for line in bad)
