"""Accounts for people and as JSON, of one host or of many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinykit_ops.fleet.ask import Answer
from tinykit_ops.host.accounts import Account
from tinykit_ops.report.tables import table_text


@dataclass(frozen=True)
class HostAccounts:
    """The accounts of one host, or why they are not known."""

    host: str
    accounts: tuple[Account, ...] = ()
    problem: str = ""


def read_accounts(answer: Answer) -> HostAccounts:
    """What an agent listed."""
    try:
        if answer.code != 0 or answer.out is None:
            raise ValueError
        (only,) = json.loads(answer.out)["hosts"]
        return HostAccounts(answer.host, tuple(Account(**row) for row in only["accounts"]))
    except (ValueError, KeyError, TypeError):
        return HostAccounts(answer.host, problem=answer.complaint)


def users_json(found: Sequence[HostAccounts]) -> str:
    """One document."""
    hosts: list[dict[str, Any]] = [
        {
            "host": each.host or None,
            "accounts": [account.to_json() for account in each.accounts],
            "problem": each.problem or None,
        }
        for each in found
    ]
    return json.dumps({"format": 1, "hosts": hosts}, indent=2, ensure_ascii=False) + "\n"


def users_text(found: Sequence[HostAccounts]) -> str:
    """A table; with the hosts' names when there are several."""
    named = any(each.host for each in found)
    columns = (*(("host",) if named else ()), "e-mail", "kind", "name", "created (UTC)")
    rows = [
        (*((each.host,) if named else ()), account.email, account.kind, account.name, _day(account))
        for each in found
        for account in each.accounts
    ]
    problems = "".join(f"{each.host}: {each.problem}\n" for each in found if each.problem)
    return (table_text(columns, rows) if rows else "") + problems


def _day(account: Account) -> str:
    return account.created[:16]
