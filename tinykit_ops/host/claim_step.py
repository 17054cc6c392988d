"""Claim the instance: first account, closed sign-up, limits; before it is exposed.

The superuser is there already: PocketBase's unit makes it before the server starts (see
templates/pocketbase/hooks/superuser.pb.js). Everything here goes through the running server's API,
because no other process may open its database (pocketbase-facts).

How long a login lasts is left as PocketBase has it (seven days for `users`): the builder renews its
token only while it is open, so a shorter time would sign people out overnight. A changed password
ends every login at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tinykit_ops import layout
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.host import server_settings
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.settings import Settings

USERS = "users"
SETTINGS = "_tk_settings"
DOMAINS = "available_domains"
#: `null` closes a rule to everybody but superusers; the empty string would open it to all.
CLOSED_RULES: Mapping[str, tuple[str, ...]] = {
    USERS: ("createRule", "listRule"),
    SETTINGS: ("listRule", "viewRule", "createRule", "updateRule", "deleteRule"),
}


@dataclass(frozen=True)
class Change:
    """Something left to do, and how."""

    what: str
    do: Callable[[], object]


class ClaimStep:
    """Bring accounts, rules and domains of the running instance to the wanted state.

    Args:
        settings: of the instance.
        secret: reads a secret of the host by its file name.
        url: of PocketBase.
    """

    def __init__(
        self,
        settings: Settings,
        secret: Callable[[str], str],
        url: str = layout.POCKETBASE_URL,
    ) -> None:
        self.settings = settings
        self.secret = secret
        self.url = url

    def pending(self) -> list[str]:
        """What differs; a server that does not answer is still to be claimed."""
        try:
            with as_superuser(self.settings, self.secret, self.url, wait=2) as pocketbase:
                return [change.what for change in self._changes(pocketbase)]
        except TinykitOpsError as error:
            return [error.what]

    def apply(self) -> None:
        """Make the changes, one by one."""
        with as_superuser(self.settings, self.secret, self.url, wait=60) as pocketbase:
            for change in self._changes(pocketbase):
                change.do()

    def _changes(self, pocketbase: PocketBase) -> Iterator[Change]:
        yield from self._rules(pocketbase)
        yield from self._first_account(pocketbase)
        yield from self._domains(pocketbase)
        yield from self._server_settings(pocketbase)

    def _rules(self, pocketbase: PocketBase) -> Iterator[Change]:
        collections = {row["name"]: row for row in pocketbase.collections()}
        for name, rules in CLOSED_RULES.items():
            if name not in collections:
                raise TinykitOpsError(
                    f"PocketBase has no collection {name}",
                    where=self.url,
                    hint="the release's migrations make it: see `journalctl -u pocketbase`",
                )
            open_rules = [rule for rule in rules if collections[name].get(rule) is not None]
            if open_rules:
                closed = dict.fromkeys(open_rules)
                yield Change(
                    f"close {', '.join(open_rules)} of {name}",
                    lambda name=name, closed=closed: pocketbase.update_collection(name, closed),  # type: ignore[misc]
                )

    def _first_account(self, pocketbase: PocketBase) -> Iterator[Change]:
        # The address was validated, so it cannot hold a quote that would end the filter.
        if pocketbase.count(USERS, f'email = "{self.settings.admin_email}"') > 0:
            return
        password = self.secret(layout.ADMIN_PASSWORD)
        account = {
            "email": self.settings.admin_email,
            "password": password,
            "passwordConfirm": password,
            "name": "Admin",
            "verified": True,
        }
        yield Change(
            f"account {self.settings.admin_email}",
            lambda: pocketbase.create_record(USERS, account),
        )

    def _domains(self, pocketbase: PocketBase) -> Iterator[Change]:
        """Tell tinykit the domains, which it otherwise learns only from their first visitor.

        tinykit takes a name off its list when a project gets it, so only names that neither the
        list nor a project holds are missing.
        """
        rows = [row for row in pocketbase.records(SETTINGS) if row["id"] == DOMAINS]
        known = list((rows[0].get("value") or {}).get("domains", [])) if rows else []
        taken = {row.get("domain") for row in pocketbase.records("_tk_projects")}
        seen = {entry.get("hostname") for entry in known} | taken
        # tinykit drops www. before it looks a name up.
        names = dict.fromkeys(name.removeprefix("www.") for name in self.settings.domains)
        missing = [name for name in names if name not in seen]
        if not missing:
            return
        now = datetime.now(UTC).isoformat()
        fresh = [{"hostname": name, "first_seen": now, "last_seen": now} for name in missing]
        value: dict[str, Any] = {"value": {"domains": known + fresh}}

        def seed() -> None:
            if rows:
                pocketbase.update_record(SETTINGS, DOMAINS, value)
            else:
                pocketbase.create_record(SETTINGS, {"id": DOMAINS, **value})

        yield Change(f"seed domains {', '.join(missing)}", seed)

    def _server_settings(self, pocketbase: PocketBase) -> Iterator[Change]:
        for what, patch in server_settings.changes(self.settings, pocketbase.get_settings()):
            yield Change(what, lambda patch=patch: pocketbase.update_settings(patch))  # type: ignore[misc]
