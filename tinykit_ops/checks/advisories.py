"""Versions with known holes, and when others end: what is known, and where it stands.

Kept by hand from the sources named in each row; the last look at them was on 2026-11-24. A new row
is one entry here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

Version = tuple[int, ...]


@dataclass(frozen=True)
class Advisory:
    """A hole of PocketBase.

    Attributes:
        id: how others call it.
        since: first version that has it; empty for all before `fixed`.
        fixed: first version that has it no more.
        what: in one line.
        source: where it stands.
    """

    id: str
    since: str
    fixed: str
    what: str
    source: str

    def concerns(self, version: Version) -> bool:
        """Does that version have the hole?"""
        return numbers(self.since or "0") <= version < numbers(self.fixed)


_CHANGES = "https://github.com/pocketbase/pocketbase/blob/master/CHANGELOG.md"
POCKETBASE = (
    Advisory(
        "discussion 7762",
        "",
        "0.39.7",
        "a panic in a background worker ends the whole server",
        "https://github.com/pocketbase/pocketbase/discussions/7762",
    ),
    Advisory(
        "CVE-2026-44166",
        "0.30.0",
        "0.37.4",
        "somebody else's OAuth2 login can be linked to an account before its owner comes",
        "https://github.com/pocketbase/pocketbase/discussions/7662",
    ),
    Advisory(
        "OAuth2 avatar",
        "",
        "0.36.9",
        "an OAuth2 provider can make the server ask for addresses inside",
        f"{_CHANGES}#v0369",
    ),
    Advisory(
        "SQLite WAL reset",
        "",
        "0.36.7",
        "SQLite before 3.51.3 can corrupt a database when its log is reset",
        f"{_CHANGES}#v0367",
    ),
    Advisory(
        "GHSA-mh63-6h87-95cp",
        "",
        "0.26.2",
        "a long Authorization header takes much memory (golang-jwt)",
        "https://github.com/golang-jwt/jwt/security/advisories/GHSA-mh63-6h87-95cp",
    ),
    Advisory(
        "CVE-2024-45338",
        "",
        "0.23.11",
        "parsing HTML for mail can take very long (golang.org/x/net)",
        "https://www.cve.org/CVERecord?id=CVE-2024-45338",
    ),
)

#: Last day with security fixes, by major version. Source: github.com/nodejs/release, its schedule.
NODE_ENDS = {
    18: date(2025, 4, 30),
    20: date(2026, 4, 30),
    22: date(2027, 4, 30),
    24: date(2028, 4, 30),
    26: date(2029, 4, 30),
}
#: Last day with security fixes, long-term support included. Source: wiki.debian.org/LTS
DEBIAN_ENDS = {11: date(2026, 8, 31), 12: date(2028, 6, 30), 13: date(2030, 6, 30)}


def numbers(text: str) -> Version:
    """`v24.19.0` or `pocketbase version 0.40.6` as numbers; empty when there is no version."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()
