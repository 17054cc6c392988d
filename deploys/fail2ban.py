"""Bans: fail2ban shuts out who guesses passwords, but never an address that the settings trust."""

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.bans import jails
from tinykit_ops.deploy.packages import BANS
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.system import packages
from tinykit_ops.ops.tree import File, Folder, tree
from tinykit_ops.ops.units import no_unit, unit

FILTER = f"/etc/fail2ban/filter.d/{layout.LOGINS_JAIL}.conf"
JAILS = "/etc/fail2ban/jail.d/tinykit-ops.conf"  # read after the distribution's own
DROP_IN = f"/etc/systemd/system/{layout.BANS_UNIT}.d/tinykit-ops.conf"

settings = instance.settings()
hold_host()
if settings.bans.enabled:
    # The files first: the package starts fail2ban at once, and Debian 12's own file makes it fail.
    written = tree(
        name="Write the jails of fail2ban",
        entries=[
            *(Folder(f"/etc/fail2ban{below}") for below in ("", "/filter.d", "/jail.d")),
            Folder(f"/etc/systemd/system/{layout.BANS_UNIT}.d"),
            File(FILTER, render("fail2ban/filter.conf.j2")),
            File(JAILS, jails(settings)),
            File(DROP_IN, render("fail2ban/unit.conf.j2")),
        ],
    )
    packages(name="Install fail2ban", names=BANS)
    ran = unit(
        name="Run fail2ban",
        unit=layout.BANS_UNIT,
        files=[FILTER, JAILS, DROP_IN],
        after=[written],
        works="fail2ban-client status sshd",
    )
    agent_step(name="Lift bans of addresses that are trusted now", step=["bans"], after=[ran])
else:
    no_unit(
        name="Stop fail2ban, which the settings do not want",
        unit=layout.BANS_UNIT,
        leftovers=[FILTER, JAILS, DROP_IN],
    )
