"""The database: what PocketBase's own rules and settings let people do."""

from __future__ import annotations

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.rules import Guests, guests_by
from tinykit_ops.checks.server import (
    RULES,
    Json,
    collection,
    collections_of,
    section,
    superusers_of,
)

_LINE = "Database rules per collection"
_WRITES = ("createRule", "updateRule", "deleteRule")
_READS = ("listRule", "viewRule")
_SUPERUSER_LOGIN = 86400  #: seconds; PocketBase's own
_RULES_BY_HAND = (
    "In PocketBase's dashboard, API Rules of the collection: an empty rule opens it to the world, "
    "and so does one that asks for no account, like `id != ''`. "
    "Lock it (superusers only), or write the condition that tinykit has, "
    "`@request.auth.id != ''`."
)


def _guests_kept_out(look: Context, rules: tuple[str, ...], skip: frozenset[str]) -> Verdict:
    """The verdict on rules that let guests pass: the empty one, and what comes to the same."""
    tally, known = Tally(), collections_of(look)
    if "users" not in known:
        raise CannotLook("PocketBase has no collection users, so this is no tinykit")
    for name, found in known.items():
        for rule in rules:
            if found.get(rule) is not None and f"{name}.{rule}" not in skip:
                _weigh_rule(name, rule, found, tally)
    tally.good.append(f"no {' or '.join(rules)} of {len(known)} collections lets guests pass")
    return tally.verdict()


def _weigh_rule(name: str, rule: str, found: Json, tally: Tally) -> None:
    text, fields = found[rule], found.get("fields", [])
    never_empty = {str(each.get("name")) for each in fields if each.get("required")}
    private = name.startswith("_") or name == "users"  # PocketBase's and tinykit's
    guests = guests_by(text, never_empty, private=private)
    if not text.strip():
        tally.bad.append(f"{name}.{rule} is empty: everybody may")
    elif guests == Guests.LET_IN:
        tally.bad.append(f"{name}.{rule} asks for no account, so everybody may: {text}")
    elif guests == Guests.UNCLEAR:
        tally.unseen.append(
            f"{name}.{rule} may let guests pass (write it as @request.auth.id != '' && (…) to "
            f"make sure of it): {text}"
        )


@check(
    id="database.no-public-write",
    title="No collection can be written by everybody",
    area=Area.DATABASE,
    severity=Severity.CRITICAL,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(by_hand=_RULES_BY_HAND),
)
def nobody_writes_without_account(look: Context) -> Verdict:
    """Reads the rules of every collection."""
    # Who may make an account is the business of `authentication.sign-up-closed`.
    return _guests_kept_out(look, _WRITES, frozenset({"users.createRule"}))


@check(
    id="database.no-public-read",
    title="No collection can be read by everybody",
    area=Area.DATABASE,
    severity=Severity.CRITICAL,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(by_hand=_RULES_BY_HAND),
)
def nobody_reads_without_account(look: Context) -> Verdict:
    """Reads the rules of every collection. Published data goes through tinykit, which reads as
    superuser, and needs no open rule."""
    return _guests_kept_out(look, _READS, frozenset({"users.listRule"}))


@check(
    id="database.settings-locked",
    title="tinykit's settings are for superusers only",
    area=Area.DATABASE,
    severity=Severity.HIGH,
    looks_from=Vantage.SUPERUSER,
    checklist="API keys never in the browser",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `_tk_settings`, API Rules: lock all five. "
        "tinykit's migrations open them to every account, and the key of the language model is "
        "among its records."
    ),
)
def tinykit_settings_are_locked(look: Context) -> Verdict:
    """Reads the rules of `_tk_settings`."""
    found = collection(look, "_tk_settings")
    open_rules = {rule: found[rule] for rule in RULES if found.get(rule) is not None}
    if open_rules:
        said = {rule: text or "empty, everybody may" for rule, text in open_rules.items()}
        return failed(*(f"_tk_settings.{rule}: {text}" for rule, text in said.items()))
    return passed("_tk_settings has no rule that an account satisfies")


@check(
    id="database.users-unlisted",
    title="Nobody lists the accounts",
    area=Area.DATABASE,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, API Rules: lock the List rule. "
        "With any other, guests get 200 and an empty list, which tinykit takes for an instance "
        "that is being set up, and /api/settings/validate-llm asks any address for anybody."
    ),
)
def accounts_are_unlisted(look: Context) -> Verdict:
    """Reads the List rule of `users`."""
    rule = collection(look, "users").get("listRule")
    if rule is None:
        return passed("users.listRule is locked")
    return failed(f"users.listRule is {rule or 'empty'}: guests get an answer")


@check(
    id="database.superusers-known",
    title="There is no superuser but the known one",
    area=Area.DATABASE,
    severity=Severity.CRITICAL,
    looks_from=Vantage.SUPERUSER,
    checklist="Protect the builder",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `_superusers`: delete whom nobody knows, "
        "and ask yourself how they came to be there."
    ),
)
def superusers_are_known(look: Context) -> Verdict:
    """Lists them, and compares with the settings."""
    found = superusers_of(look)
    known = look.settings.superuser if look.settings else look.root.credentials.email
    strangers = [email for email in found if email.lower() != known.lower()]
    if strangers:
        return failed(*(f"unexpected superuser {email}" for email in strangers))
    return passed(f"{known} is the only superuser")


@check(
    id="database.superuser-logins-end",
    title="A superuser's login ends within a day",
    area=Area.DATABASE,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist="Built-in: JWT with automatic refresh",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `_superusers`, Options, Tokens: 86400 "
        "seconds or less for the auth token."
    ),
)
def superuser_logins_end(look: Context) -> Verdict:
    """Reads how long PocketBase's tokens for superusers last."""
    seconds = (collection(look, "_superusers").get("authToken") or {}).get("duration")
    if not isinstance(seconds, int):
        raise CannotLook("PocketBase does not say how long a superuser's login lasts")
    line = f"_superusers: {seconds / 3600:.0f} hours (at most {_SUPERUSER_LOGIN / 3600:.0f})"
    return passed(line) if seconds <= _SUPERUSER_LOGIN else failed(line)


@check(
    id="database.batch-off",
    title="Many calls in one are off",
    area=Area.DATABASE,
    severity=Severity.LOW,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, Settings > Application > Batch API: switch it off. "
        "tinykit sends no batches, and limits count a batch as one."
    ),
)
def batches_are_off(look: Context) -> Verdict:
    """Reads PocketBase's settings."""
    batch = section(look, "batch")
    if batch.get("enabled"):
        return failed(f"batches of up to {batch.get('maxRequests')} calls are on")
    return passed("batches are off")
