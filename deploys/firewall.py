"""The firewall: an nftables table of our own that drops what the settings do not allow."""

from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.firewall import lock_out, ruleset
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.host_facts import SshConnection
from tinykit_ops.ops.refuse import refuse
from tinykit_ops.ops.tree import File, tree
from tinykit_ops.ops.units import no_unit, unit

UNIT_FILE = f"/etc/systemd/system/{layout.FIREWALL_UNIT}"

settings = instance.settings()
if settings.firewall.enabled:
    refuse(
        name="See that the firewall would not shut out this very connection",
        problem=lock_out(settings, host.get_fact(SshConnection, _sudo=False)),
    )
    written = tree(
        name="Write the firewall's rules and unit",
        entries=[
            File(
                layout.FIREWALL_RULES,
                ruleset(settings),
                mode="600",
                check="/usr/sbin/nft --check --file -",
            ),
            File(UNIT_FILE, render("systemd/firewall.service.j2")),
        ],
    )
    unit(
        name="Apply the firewall",
        unit=layout.FIREWALL_UNIT,
        files=[UNIT_FILE, layout.FIREWALL_RULES],
        reload=True,
        after=[written],
        works=f"nft list table inet {layout.FIREWALL_TABLE}",
    )
else:
    no_unit(
        name="Remove the firewall, which the settings do not want",
        unit=layout.FIREWALL_UNIT,
        leftovers=[UNIT_FILE, layout.FIREWALL_RULES],
    )
