"""Authentication: what a login gives, and what nobody may make of it."""

from __future__ import annotations

import time

from tinykit_ops.checks import jwt
from tinykit_ops.checks.answer import Answer
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
    unknown,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.session import Session, parsed
from tinykit_ops.edge.probe import REFUSALS, is_pocketbase_error

_LINE = "Built-in: JWT with automatic refresh"
_ALGORITHMS = frozenset({"HS256", "HS384", "HS512"})  #: those of PocketBase and its like
_CLAIMS = frozenset({"id", "type", "collectionId", "refreshable", "exp", "iat", "nbf"})
_LONGEST = 7 * 86400  #: seconds; PocketBase's own for `users`
_SLACK = 600  #: seconds that clocks may differ by
_PLAIN = Remedy(
    by_hand="Let PocketBase make the tokens: take out hooks and proxies that replace its logins, "
    "and run a PocketBase without known holes (check `versions.pocketbase`)."
)


@check(
    id="authentication.login-works",
    title="Somebody with an account can log in",
    area=Area.AUTHENTICATION,
    severity=Severity.HIGH,
    looks_from=Vantage.ACCOUNT,
    checklist="Builder access by PocketBase authentication",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, Options: allow password "
        "authentication with the e-mail address, and leave multi-factor authentication off "
        "(tinykit's login page has no second step)."
    ),
)
def login_works(look: Context) -> Verdict:
    """Logs in once; the other checks of accounts use the same login."""
    try:
        return passed(f"{look.person.login().answer}: {look.person.credentials.email} is logged in")
    except CannotLook as reason:
        answer = look.person.refusal
        if answer and is_pocketbase_error(answer) and answer.status in {401, 403, 404}:
            return failed(f"{answer}: PocketBase lets nobody log in with a password")
        return unknown(str(reason))


@check(
    id="authentication.token-form",
    title="A login token is signed, is for logging in only, and tells nothing private",
    area=Area.AUTHENTICATION,
    severity=Severity.HIGH,
    looks_from=Vantage.ACCOUNT,
    checklist=_LINE,
    remedy=_PLAIN,
)
def token_is_well_formed(look: Context) -> Verdict:
    """Reads the algorithm, the type and the claims of the token that a login gave."""
    token, tally = jwt.read(look.person.login().token), Tally()
    algorithm, kind = token.header.get("alg"), token.claims.get("type")
    if algorithm not in _ALGORITHMS:
        tally.bad.append(f"the token's algorithm is {algorithm}")
    if kind != "auth":
        tally.bad.append(f"the token's type is {kind}, not auth")
    if "exp" not in token.claims:
        tally.bad.append("the token never ends")
    if private := sorted(set(token.claims) - _CLAIMS):
        tally.bad.append(f"the token, which anybody may read, also says {', '.join(private)}")
    tally.good.append(f"signed with {algorithm}, type {kind}, says {', '.join(token.claims)}")
    return tally.verdict()


@check(
    id="authentication.token-lifetime",
    title="A login ends after a week at most",
    area=Area.AUTHENTICATION,
    severity=Severity.MEDIUM,
    looks_from=Vantage.ACCOUNT,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, collection `users`, Options, Tokens: set the duration "
        "of the auth token to 604800 seconds or less."
    ),
)
def token_ends(look: Context) -> Verdict:
    """Reads when the token of a new login ends."""
    ends = jwt.read(look.person.login().token).claims.get("exp")
    if not isinstance(ends, int | float):
        raise CannotLook("the token does not say when it ends")
    left = ends - time.time()
    line = f"a new login ends in {left / 86400:.1f} days (at most {_LONGEST / 86400:.0f})"
    if left <= 0:
        return unknown(f"{line}: the clocks of this machine and the server differ")
    return passed(line) if left <= _LONGEST + _SLACK else failed(line)


@check(
    id="authentication.refresh",
    title="A login can be renewed, and gets a new token",
    area=Area.AUTHENTICATION,
    severity=Severity.LOW,
    looks_from=Vantage.ACCOUNT,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Let POST /_pb/api/collections/users/auth-refresh through the proxy: the builder "
        "renews its login there, and signs people out without it."
    ),
)
def refresh_gives_a_new_token(look: Context) -> Verdict:
    """Renews the login as the builder does."""
    login = look.person.login()
    time.sleep(max(0.0, login.when + 1.1 - time.monotonic()))  # tokens count in whole seconds
    answer = look.person.ask("POST", "/api/collections/users/auth-refresh", body={})
    token = (parsed(answer) or {}).get("token")
    if answer.status == 200 and isinstance(token, str):
        if token == login.token:
            return failed(f"{answer} with the token that was sent")
        later = jwt.read(token).claims.get("exp", 0) > jwt.read(login.token).claims.get("exp", 0)
        line = f"{answer} with a new token"
        return passed(line) if later else failed(f"{line} that does not end later")
    if answer.status in REFUSALS:
        return failed(f"{answer}: a login cannot be renewed")
    return unknown(str(answer))


@check(
    id="authentication.forged-tokens-refused",
    title="A token with a wrong signature, or with none, opens nothing",
    area=Area.AUTHENTICATION,
    severity=Severity.CRITICAL,
    looks_from=Vantage.ACCOUNT,
    checklist=_LINE,
    remedy=_PLAIN,
)
def forged_tokens_are_refused(look: Context) -> Verdict:
    """Asks for the account's own record with a good token, which must work, and forged ones."""
    login, tally = look.person.login(), Tally()
    path = f"/api/collections/users/records/{login.id}"
    control = look.person.ask("GET", path)
    if control.status != 200:
        raise CannotLook(f"{control} with a good token, so that refusals would prove nothing")
    for fault, token in jwt.forgeries(jwt.read(login.token)):
        _try(look.person, path, fault, token, tally)
    return tally.verdict()


def _try(person: Session, path: str, fault: str, token: str, tally: Tally) -> None:
    try:
        answer: Answer = person.ask("GET", path, token=token)
    except CannotLook as reason:
        tally.unseen.append(str(reason))
        return
    # The id of the account is in the path, and no part of the evidence.
    line = f"with {fault}: {answer.status}"
    if answer.status == 200:
        tally.bad.append(line)
    elif answer.status in REFUSALS:
        tally.good.append(line)
    else:
        tally.unseen.append(line)
