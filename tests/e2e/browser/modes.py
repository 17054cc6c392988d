"""The ways to run an edge that a person could choose, and what each shows to a stranger."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass

LOGIN_PAGE = "the login page"


@dataclass(frozen=True)
class Mode:
    """A proxy, a gate before the builder, and one origin or two."""

    proxy: str
    require: tuple[str, ...]
    match: str = "all"
    apart: bool = False  #: the builder has a domain of its own

    @property
    def name(self) -> str:
        """Also the first label of its domain, since a domain shows one project only."""
        gate = f"-{self.match}-".join(self.require)
        return f"{self.proxy}-{gate}{'-apart' if self.apart else ''}"

    @property
    def domain(self) -> str:
        """Where its published app is."""
        return f"{self.name}.lab.test"

    @property
    def builder(self) -> str:
        """Where its builder is."""
        return f"build.{self.domain}" if self.apart else self.domain

    @property
    def by_address(self) -> bool:
        """Does somebody elsewhere have no chance at all?"""
        return "allowlist" in self.require and (self.match == "all" or len(self.require) == 1)

    @property
    def asks_password(self) -> bool:
        """Does the browser ask for a name and password before a page of the builder?"""
        return "basic" in self.require and not self.by_address

    @property
    def team_types_password(self) -> bool:
        """Is the team, whose address is trusted, asked for it too?"""
        return "basic" in self.require and not ("allowlist" in self.require and self.match == "any")

    @property
    def strangers_page(self) -> int | str:
        """What a stranger gets for a page of the builder: a status, or the login page."""
        if self.by_address:
            return 403
        return 401 if self.asks_password else LOGIN_PAGE

    @property
    def strangers_door(self) -> int:
        """What a stranger gets for the login page."""
        if self.by_address:
            return 403
        open_to_accounts = self.match == "any" and "account" in self.require
        return 401 if self.asks_password and not open_to_accounts else 200

    @property
    def strangers_call(self) -> int:
        """What a stranger's script gets from the builder's API."""
        return 403 if self.by_address else 401


GATES = [
    (("account",), "all"),
    (("basic",), "all"),
    (("allowlist",), "all"),
    (("account", "basic"), "all"),
    (("account", "allowlist"), "all"),
    (("account", "allowlist"), "any"),
    (("basic", "allowlist"), "any"),
]
ALL = [
    Mode(proxy, require, match, apart)
    for proxy, (require, match), apart in itertools.product(
        ("caddy", "nginx"), GATES, (False, True)
    )
]
#: Each proxy, each layout, and each proof, with both proxies.
SAMPLE = [
    Mode("caddy", ("account",)),
    Mode("caddy", ("allowlist",), apart=True),
    Mode("caddy", ("account", "basic"), apart=True),
    Mode("nginx", ("account",), apart=True),
    Mode("nginx", ("basic",)),
    Mode("nginx", ("account", "allowlist"), "any"),
]


def chosen() -> list[Mode]:
    """The sample; all with TINYKIT_BROWSER_MODES=all (`scripts/soak browser`)."""
    return ALL if os.environ.get("TINYKIT_BROWSER_MODES") == "all" else SAMPLE
