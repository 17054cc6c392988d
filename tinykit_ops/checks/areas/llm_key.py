"""Secrets: the language model's key, which tinykit keeps in its database when it is given there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Vantage,
    Verdict,
    failed,
    passed,
    unknown,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.server import settings_of
from tinykit_ops.checks.session import Session, parsed
from tinykit_ops.edge.probe import REFUSALS

_RECORDS = "/api/collections/_tk_settings/records"
_RECORD = f"{_RECORDS}/llm"
_LIST = f"{_RECORDS}?perPage=200"
_ENVIRONMENT = Remedy(
    by_hand="Put the key into the service's environment as LLM_API_KEY (`llm.api_key` in the "
    "inventory), which counts more than the database; delete the record `llm` of `_tk_settings`, "
    "and have the provider make a new key."
)


@check(
    id="secrets.llm-key-unreadable",
    title="An account cannot read the language model's key",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.ACCOUNT,
    checklist="API keys never in the browser",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `_tk_settings`, API Rules: lock all five "
        "rules. " + _ENVIRONMENT.by_hand
    ),
)
def accounts_cannot_read_the_key(look: Context) -> Verdict:
    """Asks for the record that holds it, and for the list of such records, with an account's login;
    the key is thrown away unread."""
    _see_that_it_opens(look.person, f"/api/collections/users/records/{look.person.login().id}")
    answer = look.person.ask("GET", _RECORD)
    if answer.status == 200 and _holds_key(answer):
        return failed(f"{answer} with a key, for any account")
    listed = look.person.ask("GET", _LIST)
    if any(map(_is_key, _items(listed) or [])):
        return failed(f"{listed} with a key, for any account")
    if listed.status == 200 and not _is_whole(listed):
        return unknown(f"{listed} with more than can be looked through")
    if listed.status != 200 and listed.status not in REFUSALS:
        return unknown(str(listed))
    return _no_key(answer)


@check(
    id="secrets.key-not-in-database",
    title="The language model's key is not in the database",
    area=Area.SECRETS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist="Use environment variables for secrets",
    remedy=_ENVIRONMENT,
)
def the_key_is_not_in_the_database(look: Context) -> Verdict:
    """Asks for the record that would hold it, as superuser; the key is thrown away unread."""
    settings_of(look)  # a login that has ended gets a refusal, too
    answer = look.root.ask("GET", _RECORD)
    if answer.status == 200 and _holds_key(answer):
        return failed(f"{answer} with a key: backups and exports of the database hold it too")
    return _no_key(answer)


def _see_that_it_opens(person: Session, path: str) -> None:
    """A login that has ended gets refusals, too, which prove nothing. Raises CannotLook."""
    control = person.ask("GET", path)
    if control.status != 200:
        # The id of the account is in the path, and no part of the evidence.
        raise CannotLook(f"the login opens nothing ({control.status}), so refusals prove nothing")


def _no_key(answer: Answer) -> Verdict:
    if answer.status == 200 and "value" in (parsed(answer) or {}):
        return passed(f"{answer} with no key in it")
    if answer.status in REFUSALS:
        return passed(str(answer))
    return unknown(str(answer))


def _holds_key(answer: Answer) -> bool:
    return _is_key(parsed(answer) or {})


def _is_key(record: object) -> bool:
    value: Any = record.get("value") if isinstance(record, Mapping) else None
    return isinstance(value, Mapping) and bool(value.get("api_key"))


def _items(listed: Answer) -> list[Any] | None:
    """The records of a list, None when there is none that can be understood."""
    items = (parsed(listed) or {}).get("items") if listed.status == 200 else None
    return items if isinstance(items, list) else None


def _is_whole(listed: Answer) -> bool:
    items = _items(listed)
    return items is not None and (parsed(listed) or {}).get("totalItems") == len(items)
