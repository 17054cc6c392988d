"""What an edge must do with a request, from the promises alone (nothing of tinykit_ops.edge).

The promises: published is for the world; `builder` and `admin` each have a gate of proofs of which
any or all must hold; what is never anybody's is 404; what the edge answers, it answers. A way in
asks for everything but the account that it proves, and for nothing when an account alone would do.
Without a pass a page leads to the login page, or lets the browser ask for the password; a call gets
401 or 403 and no challenge; a refused address gets 403.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_cases import Case
from edge_configs import Config, GateWords

CHALLENGE = 'Basic realm="tinykit", charset="UTF-8"'
WHOLE, BUILDER, PUBLISHED = "whole", "builder", "published"


@dataclass(frozen=True)
class Caller:
    """Who asks: from an address that is on the allowlist or not, with these proofs.

    Attributes:
        account, basic: a valid proof of this kind is with the request.
        header: the basic proof came by header, so a success gives a cookie.
    """

    allowed: bool
    account: bool
    basic: bool
    header: bool = False


@dataclass(frozen=True)
class Expected:
    """What must happen.

    Attributes:
        passes: exactly one request arrives at the case's server.
        statuses: of which the edge's own answer must have one; any, when empty.
        challenge: the answer asks the browser for a password.
        location: where it leads to.
        says: its body, "" for any.
        cookie: the answer must (True) or must not (False) give the cookie of the basic proof.
    """

    passes: bool
    statuses: frozenset[int] = frozenset()
    challenge: bool = False
    location: str = ""
    says: str = ""
    cookie: bool | None = False


PASS = Expected(True)


def expected(case: Case, role: str, config: Config, caller: Caller) -> Expected:
    """What the edge must do with this request.

    Args:
        role: of the site that is asked: everything on one origin, the builder's, or published
            apps' alone.
    """
    kind = case.kind
    if role == PUBLISHED and kind in {"builder", "admin", "answered"}:
        return _refused(404)
    if kind == "never":
        return _refused(404)
    if kind == "answered":
        return Expected(False, frozenset({200}), says=case.says)
    if role == BUILDER and case.path == "/":
        return Expected(False, frozenset({302}), location="/tinykit")
    if role == BUILDER and kind == "unlisted" and not case.path.startswith("/_app/"):
        return _refused(404)
    if role == BUILDER and kind == "published":
        kind = "builder"
    if kind in {"published", "unlisted"}:
        return PASS
    return _at_gate(case, config.admin if kind == "admin" else config.builder, caller)


def _at_gate(case: Case, gate: GateWords, caller: Caller) -> Expected:
    proofs, match = gate
    if case.door and "account" in proofs:
        if match == "any" or proofs == ("account",):
            return PASS
        proofs = tuple(proof for proof in proofs if proof != "account")
    judged = tuple(proof for proof in proofs if proof != "allowlist")
    holds = {"account": caller.account, "basic": caller.basic, "allowlist": caller.allowed}
    if match == "any" and holds["allowlist"] and "allowlist" in proofs:
        return PASS
    by_judge = all if match == "all" else any
    if match == "all" and "allowlist" in proofs and not caller.allowed:
        return _refused(403)
    if not judged:
        return PASS if match == "all" else _refused(403)
    if by_judge(holds[proof] for proof in judged):
        gives = caller.header and "basic" in judged
        return Expected(True, cookie=(case.page or None) if gives else False)
    return _refusal(case, judged, match, holds)


def _refusal(case: Case, judged: tuple[str, ...], match: str, holds: dict[str, bool]) -> Expected:
    if case.page:
        if "basic" in judged and (match == "any" or not holds["basic"]):
            body = (
                "/login" if match == "any" and "account" in judged and case.method == "GET" else ""
            )
            return Expected(False, frozenset({401}), challenge=True, says=body)
        return Expected(False, frozenset({302}), location="/login", cookie=None)
    if any(holds[proof] for proof in judged):
        return Expected(False, frozenset({403}), cookie=None)
    # Known, but by a proof that this gate does not ask for: either status is right.
    known = holds["account"] or holds["basic"]
    return _refused(401, 403) if known else _refused(401)


def _refused(*statuses: int) -> Expected:
    return Expected(False, frozenset(statuses))
