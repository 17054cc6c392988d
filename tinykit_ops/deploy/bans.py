"""What fail2ban is told: jails, a filter, and how its unit goes with the firewall's."""

from __future__ import annotations

from tinykit_ops.deploy.templates import render
from tinykit_ops.settings import Settings
from tinykit_ops.settings.bans import never_banned


def jails(settings: Settings) -> str:
    """The jails of an instance, for fail2ban's `jail.d`."""
    trusted = never_banned(settings.access.allowlist, settings.firewall.ssh_from)
    return render(
        "fail2ban/jails.conf.j2",
        settings=settings,
        never_banned=[str(network) for network in trusted],
        # Behind a CDN every client comes from the CDN's own addresses: shutting out one of those
        # would shut out all who come by it. The limits of the edge and PocketBase count there.
        web=settings.firewall.mode != "cdn",
    )
