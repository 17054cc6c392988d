"""HTTPS: a certificate that browsers accept, and no way around it."""

from __future__ import annotations

from urllib.parse import urlsplit

from tinykit_ops.checks.context import Context
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
from tinykit_ops.checks.tls import Certificate, inspect

_LINE = "Enable HTTPS"
_MAX_NAMES = 10  #: names looked at; each costs a connection
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
            certificate = inspect(look.web, name)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        fault = _fault_of(certificate)
        (tally.bad if fault else tally.good).append(fault or _praise(certificate))
    return tally.verdict()


def _names(look: Context) -> list[str]:
    own = look.web.target.host
    others = look.settings.domains if look.settings else []
    return [own, *(name for name in others if name != own)][:_MAX_NAMES]


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
