"""Bans: fail2ban shuts out who guesses passwords, but never an address that the settings trust."""

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.bans import DROP_IN, FILTER, JAILS, bans_files
from tinykit_ops.deploy.packages import BANS
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.system import packages
from tinykit_ops.ops.tree import tree
from tinykit_ops.ops.units import no_unit, unit

settings = instance.settings()
hold_host()
if settings.bans.enabled:
    written = tree(name="Write the jails of fail2ban", entries=bans_files(settings))
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
