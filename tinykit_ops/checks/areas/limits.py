"""Authentication: guessing is slow, and passwords are worth guessing at."""

from __future__ import annotations

import re

from tinykit_ops import layout
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
from tinykit_ops.checks.server import Json, collection, everywhere, field_of, section

_LINE = "Builder access by PocketBase authentication"
_GUESSES = 60  #: a minute and address; more is no limit to a guesser
_SHORTEST = 8  #: characters of a password, PocketBase's own minimum
_GUESSED = ("users", "_superusers")  #: whose passwords are worth guessing
_GUESTS = (None, "", "@guest")  #: a rule for others does not count whoever guesses
_LOGINS = ("auth", "authWithPassword")  #: as labels call them
_KEY_LENGTH = 30  #: characters of PocketBase's own key of an account


@check(
    id="authentication.login-limited",
    title="PocketBase limits how often somebody may try to log in",
    area=Area.AUTHENTICATION,
    severity=Severity.HIGH,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, Settings > Application > Rate limiting: switch it on, "
        "with a rule for `*:auth` of 20 requests in 60 seconds, and leave 127.0.0.1 and ::1 out "
        "(tinykit's server is that one address)."
    ),
)
def logins_are_limited(look: Context) -> Verdict:
    """Reads PocketBase's limiter; nobody guesses."""
    limits = section(look, "rateLimits")
    if not limits.get("enabled"):
        return failed("PocketBase's rate limits are off")
    rules = [rule for rule in limits.get("rules", []) if rule.get("audience") in _GUESTS]
    tally = Tally()
    for network in everywhere(limits.get("excludedIPs", [])):
        tally.bad.append(f"PocketBase's rate limits leave {network} out, which is everybody")
    for rule in rules:
        if rule.get("label") in {label for name in _GUESSED for label in _labels(name)}:
            a_minute = _a_minute(rule)
            line = f"{rule['label']}: {a_minute:.0f} a minute and address (at most {_GUESSES})"
            (tally.good if a_minute <= _GUESSES else tally.bad).append(line)
    for name in _GUESSED:
        if not any(rule.get("label") in _labels(name) for rule in rules):
            tally.bad.append(f"PocketBase's rate limits count no guest's logins as {name} (*:auth)")
    return tally.verdict()


def _labels(name: str) -> tuple[str, ...]:
    """Of rules that count logins to a collection."""
    return tuple(f"{whose}:{what}" for whose in ("*", name) for what in _LOGINS)


def _a_minute(rule: Json) -> float:
    try:
        return 60 * float(rule["maxRequests"]) / float(rule["duration"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise CannotLook("a rule of PocketBase's rate limits cannot be understood") from None


@check(
    id="authentication.password-length",
    title="Passwords have eight characters or more",
    area=Area.AUTHENTICATION,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collections `users` and `_superusers`, field "
        "`password`: set its minimal length to 8 or more."
    ),
)
def passwords_are_long(look: Context) -> Verdict:
    """Reads what PocketBase demands of a new password."""
    tally = Tally()
    for name in ("users", "_superusers"):
        least = field_of(look, name, "password").get("min")
        if not isinstance(least, int):
            raise CannotLook(f"PocketBase does not say how long a password of {name} must be")
        line = f"{name}: {least} characters at least"
        (tally.good if least >= _SHORTEST else tally.bad).append(line)
    return tally.verdict()


@check(
    id="authentication.password-ends-logins",
    title="A changed password ends the logins of an account",
    area=Area.AUTHENTICATION,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist="Built-in: JWT with automatic refresh",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, field `tokenKey`: let it be made "
        "by itself from a pattern of 30 characters or more. PocketBase signs the tokens of an "
        "account with it, and makes a new one whenever the password changes."
    ),
)
def a_changed_password_ends_logins(look: Context) -> Verdict:
    """Reads the schema: tokens are signed with a key of the account, which PocketBase renews with
    the password. No password is changed to see it."""
    key = field_of(look, "users", "tokenKey")
    length = key.get("min")
    line = f"users.tokenKey: pattern {key.get('autogeneratePattern') or 'none'}, {length} or more"
    good = key.get("autogeneratePattern") and isinstance(length, int) and length >= _KEY_LENGTH
    if not key.get("hidden", True):
        return failed(f"{line}, and whoever reads the account reads it")
    return passed(line) if good else failed(line)


@check(
    id="authentication.accounts-locked",
    title="Only superusers make accounts",
    area=Area.AUTHENTICATION,
    severity=Severity.HIGH,
    looks_from=Vantage.SUPERUSER,
    checklist="One account a person",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, API Rules: lock the Create rule. "
        "Every account sees every project; a gate in the proxy is the first guard, this the "
        "second."
    ),
)
def accounts_are_made_by_superusers(look: Context) -> Verdict:
    """Reads the Create rule of `users`, whatever stands before it."""
    rule = collection(look, "users").get("createRule")
    if rule is None:
        return passed("users.createRule is locked")
    return failed(f"users.createRule is {rule or 'empty: everybody may'}")


@check(
    id="authentication.only-passwords",
    title="Nobody gets an account by logging in elsewhere",
    area=Area.AUTHENTICATION,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist="One account a person",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, Options: switch OAuth2 and "
        "one-time passwords off. tinykit's login page has neither, and each is one more way in."
    ),
)
def only_passwords_log_in(look: Context) -> Verdict:
    """Reads which ways to log in the accounts have."""
    users, tally = collection(look, "users"), Tally()
    for way, name in (("oauth2", "OAuth2"), ("otp", "one-time passwords by e-mail")):
        on = bool((users.get(way) or {}).get("enabled"))
        (tally.bad if on else tally.good).append(f"users: {name} {'on' if on else 'off'}")
    return tally.verdict()


@check(
    id="authentication.bans",
    title="Whoever keeps guessing passwords is shut out",
    area=Area.AUTHENTICATION,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Set `bans.enabled` in the inventory and run deploys/fail2ban.py; or give fail2ban "
        "a jail for sshd and one for PocketBase's refused logins."
    ),
)
def guessers_are_banned(look: Context) -> Verdict:
    """Asks fail2ban for its jails."""
    wanted = ["sshd"]
    if look.settings is None or look.settings.firewall.mode != "cdn":  # else all are one address
        wanted.append(layout.LOGINS_JAIL)
    try:
        result = look.machine.run("fail2ban-client", "status")
    except CannotLook as reason:
        if "not installed" in str(reason):
            return failed("fail2ban is not installed")
        raise
    found = re.search(r"Jail list:\s*(.*)", result.out)
    if result.status != 0 or not found:
        return failed(f"fail2ban does not run: {result.complaint}")
    jails = [name.strip() for name in found[1].split(",")]
    if missing := [name for name in wanted if name not in jails]:
        return failed(f"fail2ban has no jail {', '.join(missing)}; it has {found[1] or 'none'}")
    return passed(f"fail2ban has the jails {', '.join(jails)}")
