"""HTTPS: a certificate that browsers accept, and no way around it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.fingerprint import PATH as PLACEHOLDER
from tinykit_ops.checks.http import Client
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
from tinykit_ops.checks.ports import PortState, knock
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.tls import Certificate, old_protocol, seen_certificate

_LINE = "Enable HTTPS"
_MAX_NAMES = 10  #: names looked at; each costs a connection
_LEAST_HSTS = 15_552_000  #: seconds, half a year
_OLD = {"SSLv3", "TLSv1", "TLSv1.1"}


@check(
    id="https.certificate",
    title="Every domain shows a valid certificate that is not about to end",
    area=Area.HTTPS,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy="Name the domain as a site address; Caddy fetches and renews certificates itself. "
        "When it does not, ports 80 and 443 must be reachable and DNS must point here: "
        "`journalctl -u caddy | grep -i certificate`.",
        nginx="`certbot --nginx -d DOMAIN`, and see that `systemctl status certbot.timer` is "
        "active and `certbot renew --dry-run` ends well.",
        by_hand="Get a certificate for the domain from an authority that browsers know (ACME is "
        "free), install it with its chain, and let a timer renew it.",
    ),
)
def certificates_are_valid(look: Context) -> Verdict:
    """Connects to every known domain as a browser would."""
    if look.web.target.scheme != "https":
        return failed(f"{look.web.target.url} serves tinykit without encryption")
    tally = Tally()
    for name in _names(look):
        try:
            certificate = seen_certificate(look, name)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        fault = _fault_of(certificate)
        (tally.bad if fault else tally.good).append(fault or _praise(certificate))
    return tally.verdict()


def _names(look: Context) -> list[str]:
    own = look.web.target.host
    known = look.settings
    others = [known.builder_domain, *known.domains] if known else []
    return [own, *(name for name in others if name and name != own)][:_MAX_NAMES]


def _fault_of(certificate: Certificate) -> str:
    if certificate.problem:
        return f"{certificate.host}: {certificate.problem}"
    if certificate.protocol in _OLD:
        return f"{certificate.host}: speaks only {certificate.protocol}"
    if certificate.is_overdue():
        return (
            f"{certificate.host}: the certificate ends at {certificate.ends:%Y-%m-%d %H:%M} UTC "
            "and should have been renewed by now"
        )
    return ""


def _praise(certificate: Certificate) -> str:
    hours = certificate.left().total_seconds() / 3600
    left = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
    return f"{certificate.host}: valid for {left} more, {certificate.protocol}"


@check(
    id="https.certificate-strength",
    title="Every certificate has a strong key and signature",
    area=Area.HTTPS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy="key_type p256",
        nginx="certbot renew --force-renewal --key-type ecdsa",
        by_hand="Get a certificate with an elliptic curve key (P-256) or RSA of 2048 bits or more, "
        "signed with SHA-256 or better.",
    ),
)
def certificates_are_strong(look: Context) -> Verdict:
    """Reads key and signature of the certificates that the check above saw."""
    if look.web.target.scheme != "https":
        raise CannotLook(f"{look.web.target.url} is not encrypted")
    tally = Tally()
    for name in _names(look):
        try:
            certificate = seen_certificate(look, name)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        line = f"{name}: {certificate.key}, signed with {certificate.signature}"
        (tally.bad if certificate.is_weak else tally.good).append(line)
    return tally.verdict()


@check(
    id="https.protocols",
    title="No protocol older than TLS 1.2 is spoken",
    area=Area.HTTPS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy="tls {\n\tprotocols tls1.2 tls1.3\n}",
        nginx="ssl_protocols TLSv1.2 TLSv1.3;",
        by_hand="Let the reverse proxy speak TLS 1.2 and 1.3 only.",
    ),
)
def old_protocols_are_refused(look: Context) -> Verdict:
    """Offers TLS 1.0 and 1.1 alone, with every cipher that there is."""
    if look.web.target.scheme != "https":
        raise CannotLook(f"{look.web.target.url} is not encrypted")
    tally = Tally()
    for version in ("TLSv1", "TLSv1_1"):
        try:
            spoken = old_protocol(look.web, version)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        line = f"{version.replace('_', '.')} is {'spoken' if spoken else 'refused'}"
        (tally.bad if spoken else tally.good).append(line)
    return tally.verdict()


@check(
    id="https.hsts",
    title="Browsers are told to come back by HTTPS only",
    area=Area.HTTPS,
    severity=Severity.LOW,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy='header Strict-Transport-Security "max-age=31536000"',
        nginx='add_header Strict-Transport-Security "max-age=31536000" always;',
        by_hand="Send `Strict-Transport-Security: max-age=31536000` with every answer over HTTPS.",
    ),
)
def browsers_come_back_by_https(look: Context) -> Verdict:
    """Reads the header of the answer by which tinykit was recognised."""
    if look.web.target.scheme != "https":
        return failed(f"{look.web.target.url} serves tinykit without encryption")
    answer = look.get(look.web, PLACEHOLDER)
    said = answer.headers.get("strict-transport-security", "")
    found = re.search(r"max-age=\"?(\d+)", said, re.IGNORECASE)
    if found and int(found[1]) >= _LEAST_HSTS:
        return passed(f"{answer}, Strict-Transport-Security: {said}")
    if look.settings and look.settings.edge.tls.mode == "internal":
        return passed("the authority is the edge's own (edge.tls.mode), which must not be pinned")
    if answer.status == 429 or answer.status >= 500:
        return unknown(str(answer))
    return failed(f"{answer}, Strict-Transport-Security: {said or 'none'}")


@check(
    id="https.redirect",
    title="Plain HTTP leads to HTTPS and serves nothing",
    area=Area.HTTPS,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDE,
    checklist=_LINE,
    remedy=Remedy(
        caddy="http://DOMAIN {\n\tredir https://{host}{uri} 308\n}",
        nginx="server {\n    listen 80; listen [::]:80;\n    server_name DOMAIN;\n"
        "    return 308 https://$host$request_uri;\n}",
        by_hand="Let port 80 answer every request with a redirect to the same address under "
        "https://, or close it.",
    ),
)
def http_leads_to_https(look: Context) -> Verdict:
    """Asks the plain port for a page."""
    target = look.web.target
    if target.scheme != "https":
        return failed(f"{target.url} serves tinykit without encryption")
    if not (ports := _listening(look.web, target.http_port)):
        return passed(f"port {target.http_port} is closed, so nothing is served in the clear")
    answer = look.web.send("GET", "/tinykit?from=tinykit-ops", scheme="http")
    where = f"{answer} on port {target.http_port} ({ports})"
    if answer.status in {301, 302, 303, 307, 308}:
        goal = urlsplit(answer.headers.get("location", ""))
        return passed(where) if goal.scheme == "https" else failed(where)
    if answer.status >= 500 or answer.status == 429:
        return unknown(where)
    return failed(f"{where}, which is no redirect")


def _listening(client: Client, port: int) -> str:
    """The state of a port where it is open, empty when every address refuses it."""
    states = {
        knock(client.dialer, address, port, client.manners.timeout)
        for address in client.target.addresses(port)
    }
    if PortState.OPEN in states:
        return PortState.OPEN.value
    if states == {PortState.REFUSED}:
        return ""
    raise CannotLook(f"port {port} {', '.join(sorted(state.value for state in states))}")
