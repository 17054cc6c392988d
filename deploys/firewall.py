"""The firewall: an nftables table of our own that drops what the settings do not allow.

New rules are tried: they stay when a new login to the host succeeds, else the old ones come back.
"""

from pathlib import Path

from pyinfra import logger
from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.firewall import (
    another_firewall,
    forgotten_ipv6,
    given_networks,
    lock_out,
    ruleset,
)
from tinykit_ops.deploy.templates import render
from tinykit_ops.host.firewall_wants import as_text, wants_of
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.firewall import FirewallFacts, new_rules
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.host_facts import SshConnection
from tinykit_ops.ops.refuse import refuse
from tinykit_ops.ops.tree import File, Folder, tree
from tinykit_ops.ops.units import no_unit, unit

UNITS = "/etc/systemd/system"
UNIT_FILE = f"{UNITS}/{layout.FIREWALL_UNIT}"
TIMER = "tinykit-ops-firewall-{}.{}"
TIMER_FILES = {
    f"{UNITS}/{TIMER.format(name, kind)}": f"systemd/firewall-{name}.{kind}.j2"
    for name in ("rollback", "refresh")
    for kind in ("service", "timer")
}

settings = instance.settings()
hold_host()
if settings.firewall.enabled:
    facts = host.get_fact(FirewallFacts)
    warning = forgotten_ipv6(settings, facts)
    if warning:
        logger.warning(f"{host.print_prefix}{warning}")
    refuse(
        name="See that the firewall would not shut out this very connection",
        problem=lock_out(settings, host.get_fact(SshConnection, _sudo=False))
        or another_firewall(settings, facts),
    )
    wants = wants_of(settings, given_networks(settings))
    written = tree(
        name="Write the firewall's rules and units",
        entries=[
            Folder(layout.FIREWALL_STATE, mode="700"),
            File(layout.FIREWALL_WANTS, as_text(wants), mode="600"),
            File(layout.FIREWALL_ROLLBACK, render("nftables/rollback.sh.j2"), mode="700"),
            *(
                File(path, render(template, settings=settings))
                for path, template in TIMER_FILES.items()
            ),
            File(
                layout.FIREWALL_CANDIDATE,
                ruleset(settings),
                mode="600",
                check="/usr/sbin/nft --check --file -",
            ),
            File(UNIT_FILE, render("systemd/firewall.service.j2")),
            Folder(str(Path(layout.FIREWALL_DROP_IN).parent)),
            File(layout.FIREWALL_DROP_IN, render("systemd/nftables.conf.j2")),
        ],
    )
    agent_step(
        name="Tell the firewall of resolvers, the model's address and the CDN",
        step=["firewall-sets"],
        after=[written],
        on_bare_host="work",
    )
    new_rules(
        name="Try the firewall's rules, and keep them when a new login works",
        confirm_seconds=settings.firewall.confirm_seconds,
        after=[written],
    )
    unit(
        name="Load the firewall when the host starts",
        unit=layout.FIREWALL_UNIT,
        files=[UNIT_FILE, layout.FIREWALL_RULES, layout.FIREWALL_DROP_IN],
        reload=True,
        after=[written],
        works=f"nft list table inet {layout.FIREWALL_TABLE}",
    )
    unit(
        name="Refresh what the firewall knows every hour",
        unit=layout.FIREWALL_REFRESH_TIMER,
        files=[],
    )
else:
    no_unit(
        name="Remove the refresh of a firewall that the settings do not want",
        unit=layout.FIREWALL_REFRESH_TIMER,
        leftovers=[*TIMER_FILES, layout.FIREWALL_ROLLBACK, layout.FIREWALL_WANTS],
    )
    no_unit(
        name="Remove the firewall, which the settings do not want",
        unit=layout.FIREWALL_UNIT,
        leftovers=[
            UNIT_FILE,
            layout.FIREWALL_DROP_IN,
            layout.FIREWALL_RULES,
            layout.FIREWALL_CANDIDATE,
            layout.FIREWALL_DEMANDED,
        ],
    )
