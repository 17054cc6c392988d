"""Disclosure: whom to tell about a hole, and what the server tells about itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.fingerprint import PATH as PLACEHOLDER
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    unknown,
)
from tinykit_ops.checks.registry import check

_PATH = "/.well-known/security.txt"
_TELLING = ("server", "x-powered-by", "via", "x-aspnet-version", "x-generator")
_VERSION = re.compile(r"\d+\.\d+")


@check(
    id="disclosure.security-txt",
    title="security.txt says whom to tell about a vulnerability, and is not out of date",
    area=Area.DISCLOSURE,
    severity=Severity.LOW,
    looks_from=Vantage.OUTSIDE,
    checklist="Vulnerabilities are reported in private",
    remedy=Remedy(
        by_hand="Set `edge.security_txt.contact` in the inventory; every deploy renews the expiry. "
        "Or serve /.well-known/security.txt as text/plain with `Contact:` and `Expires:` less "
        "than a year ahead (RFC 9116)."
    ),
)
def security_txt_is_valid(look: Context) -> Verdict:
    """Fetches it, and reads it as RFC 9116 says."""
    answer = look.get(look.web, _PATH)
    if answer.status == 429 or answer.status >= 500:
        return unknown(str(answer))
    if answer.status != 200 or not answer.content_type.startswith("text/plain"):
        return failed(f"{answer}, and no text/plain")
    fields = _fields(answer.text)
    tally = Tally()
    contacts = fields.get("contact", [])
    if not any(each.startswith(("mailto:", "https://", "tel:")) for each in contacts):
        tally.bad.append("it names no Contact")
    _judge_expiry(fields.get("expires", []), tally)
    canonical = fields.get("canonical", [])
    if canonical and f"{look.web.target.url}{_PATH}" not in canonical:
        tally.bad.append(f"its Canonical addresses do not have {look.web.target.url}")
    tally.good.append(f"Contact: {', '.join(contacts)}")
    return tally.verdict()


def _fields(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith(("#", "-")):
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def _judge_expiry(expires: list[str], tally: Tally) -> None:
    if len(expires) != 1:
        tally.bad.append(f"it has {len(expires)} Expires, and must have one")
        return
    try:
        ends = datetime.fromisoformat(expires[0])
        left = ends - datetime.now(UTC)
    except (ValueError, TypeError):
        tally.bad.append(f"its Expires is no date: {expires[0]}")
        return
    if left < timedelta(0):
        tally.bad.append(f"it expired at {expires[0]}")
    elif left > timedelta(days=398):
        tally.bad.append(f"it expires at {expires[0]}, more than a year ahead")
    else:
        tally.good.append(f"Expires: {expires[0]}, in {left.days} days")


@check(
    id="disclosure.quiet-headers",
    title="No header tells which version of what is running",
    area=Area.DISCLOSURE,
    severity=Severity.LOW,
    looks_from=Vantage.OUTSIDE,
    checklist="Protect the builder",
    remedy=Remedy(
        caddy="header {\n\t-Server\n\t-X-Powered-By\n\t-Via\n}",
        nginx="server_tokens off;\nproxy_hide_header X-Powered-By;",
        by_hand="Let the reverse proxy drop Server, X-Powered-By and Via, or their versions.",
    ),
)
def headers_are_quiet(look: Context) -> Verdict:
    """Reads the headers of two answers of tinykit's."""
    tally = Tally()
    for client, path in ((look.web, PLACEHOLDER), (look.at_builder(look.web), "/login")):
        try:
            answer = look.get(client, path)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        if answer.status == 429 or answer.status >= 500:
            tally.unseen.append(f"{answer}, which is no answer of tinykit's")
            continue
        told = [name for name in _TELLING if _VERSION.search(answer.headers.get(name, ""))]
        for name in told:
            tally.bad.append(f"{answer} with {name}: {answer.headers[name][:80]}")
        if not told:
            tally.good.append(f"{answer}, without a version in its headers")
    return tally.verdict()
