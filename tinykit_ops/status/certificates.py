"""How long the certificates that this host shows are good for."""

from __future__ import annotations

from tinykit_ops.checks.http import Client
from tinykit_ops.checks.manners import Manners
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.target import parse_target
from tinykit_ops.checks.tls import Certificate, inspect
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.settings import Settings
from tinykit_ops.status.model import Level, Line

SECONDS = 10.0  #: for one handshake


def certificate_line(settings: Settings) -> Line:
    """The certificate that ends first, of all names; whether browsers trust it, `check` tells.

    Raises:
        CannotLook: no name shows one.
    """
    seen, unseen = shown(settings)
    if not seen:
        raise CannotLook(f"no certificate is shown for {', '.join(unseen)}")
    first = min(seen, key=lambda one: one.ends)
    hours = first.left().total_seconds() / 3600
    short = f"{hours / 24:.0f} d" if hours >= 48 else f"{hours:.0f} h"
    late = [one.host for one in seen if one.is_overdue()]
    if late:
        text = f"{', '.join(late)}: should have been renewed by now; the first ends in {short}"
        return Line("certificate", Level.WRONG, short, text)
    if unseen:
        return Line("certificate", Level.UNKNOWN, "?", f"{', '.join(unseen)}: none is shown")
    text = f"{len(seen)} names, the first ends in {short} ({first.host})"
    return Line("certificate", Level.FINE, short, text)


def shown(settings: Settings) -> tuple[list[Certificate], list[str]]:
    """The certificate of each name, as this host shows it; and the names that show none."""
    seen, unseen = [], []
    for name in dict.fromkeys([*settings.domains, *filter(None, [settings.builder_domain])]):
        try:
            seen.append(_shown(name))
        except (CannotLook, TinykitOpsError, OSError):
            unseen.append(name)
    return seen, unseen


def _shown(name: str) -> Certificate:
    target = parse_target(f"https://{name}", resolve=(f"{name}:443:127.0.0.1",))
    return inspect(Client(target, manners=Manners(SECONDS, 10)))
