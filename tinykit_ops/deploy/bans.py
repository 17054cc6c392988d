"""What fail2ban is told: jails, a filter, and how its unit goes with the firewall's."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.tree import File, Folder
from tinykit_ops.settings import Settings
from tinykit_ops.settings.bans import never_banned

FILTER = f"/etc/fail2ban/filter.d/{layout.LOGINS_JAIL}.conf"
JAILS = "/etc/fail2ban/jail.d/tinykit-ops.conf"  # read after the distribution's own
DROP_IN = f"/etc/systemd/system/{layout.BANS_UNIT}.d/tinykit-ops.conf"


def bans_files(settings: Settings) -> list[File | Folder]:
    """What fail2ban finds when it starts. Its package starts it at once, and without these it may
    fail (Debian 12), or ban an address that is trusted."""
    return [
        *(Folder(f"/etc/fail2ban{below}") for below in ("", "/filter.d", "/jail.d")),
        Folder(f"/etc/systemd/system/{layout.BANS_UNIT}.d"),
        File(FILTER, render("fail2ban/filter.conf.j2")),
        File(JAILS, jails(settings)),
        File(DROP_IN, render("fail2ban/unit.conf.j2")),
    ]


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
