"""The accounts of an instance: who may log in to its builder.

Every account of tinykit's `users` collection can see and change every project. PocketBase's
superusers are listed too, because they may do more, and are changed by `secrets rotate` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import UsageError
from tinykit_ops.host import files
from tinykit_ops.pocketbase.client import SUPERUSERS, PocketBase
from tinykit_ops.settings import Settings
from tinykit_ops.settings.secrets import password_fault

USERS = "users"


@dataclass(frozen=True)
class Account:
    """One login.

    Attributes:
        kind: `account`, or `superuser` of PocketBase.
        created, updated: as PocketBase writes times; empty where it keeps none.
    """

    email: str
    kind: str
    name: str = ""
    verified: bool = False
    created: str = ""
    updated: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


class Accounts:
    """Accounts through the API of a running PocketBase, as its superuser."""

    def __init__(self, settings: Settings, pocketbase: PocketBase) -> None:
        self.settings = settings
        self.pocketbase = pocketbase

    def list(self) -> list[Account]:
        """All accounts by e-mail, then the superusers."""
        found = [_account(row, "account") for row in self.pocketbase.records(USERS)]
        above = [_account(row, "superuser") for row in self.pocketbase.records(SUPERUSERS)]
        return sorted(found, key=_by_email) + sorted(above, key=_by_email)

    def add(self, email: str, password: str, name: str = "") -> None:
        """Make an account.

        Raises:
            UsageError: there is such an account, or nobody should have that password.
        """
        _see_that_it_will_do(password)
        if self._find(email):
            raise UsageError(
                f"there is an account {email} already",
                hint=f"`tinykit-ops users reset-password {email}` gives it a new password",
            )
        fields = {"email": email, "name": name, "verified": True, **_twice(password)}
        self.pocketbase.create_record(USERS, fields)

    def reset_password(self, email: str, password: str) -> None:
        """Give an account a new password. PocketBase ends all of its logins with the old one.

        Raises:
            UsageError: there is no such account, or nobody should have that password.
        """
        _see_that_it_will_do(password)
        row = self._wanted(email)
        self.pocketbase.update_record(USERS, row["id"], _twice(password))

    def remove(self, email: str, *, even_if_needed: bool = False) -> None:
        """Delete an account; its logins end, and its projects stay.

        Raises:
            UsageError: there is no such account, or it is one that should stay: the last, or the
                one that the inventory names.
        """
        row = self._wanted(email)
        reason = None if even_if_needed else self._reason_to_keep(email)
        if reason:
            raise UsageError(reason, hint="--yes removes it all the same")
        self.pocketbase.delete_record(USERS, row["id"])

    def _reason_to_keep(self, email: str) -> str | None:
        if self.pocketbase.count(USERS) <= 1:
            return f"{email} is the last account: nobody could log in to the builder any more"
        if email.lower() == self.settings.admin_email.lower():
            return f"{email} is the inventory's admin_email: the next deploy would make it again"
        return None

    def _wanted(self, email: str) -> dict[str, Any]:
        row = self._find(email)
        if row is None:
            raise UsageError(
                f"there is no account {email}", hint="`tinykit-ops users list` shows all of them"
            )
        return row

    def _find(self, email: str) -> dict[str, Any] | None:
        rows: Sequence[dict[str, Any]] = list(self.pocketbase.records(USERS))
        return next((row for row in rows if row["email"].lower() == email.lower()), None)


def remember_first_password(config: AgentConfig, email: str, password: str) -> None:
    """Keep the file that tells the first account's password true, when it was made on the host."""
    first = email.lower() == config.settings.admin_email.lower()
    if first and config.settings.admin_password is None:
        files.write(config.secret_path(layout.ADMIN_PASSWORD), password, mode=0o600)


def _account(row: dict[str, Any], kind: str) -> Account:
    texts = {name: str(row.get(name) or "") for name in ("email", "name", "created", "updated")}
    return Account(kind=kind, verified=bool(row.get("verified")), **texts)


def _by_email(account: Account) -> str:
    return account.email


def _twice(password: str) -> dict[str, str]:
    return {"password": password, "passwordConfirm": password}


def _see_that_it_will_do(password: str) -> None:
    fault = password_fault(password)
    if fault:
        raise UsageError(fault, hint="--generate makes a good one")
