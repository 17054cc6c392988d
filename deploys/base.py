"""Base system: packages, users, folders, updates, time."""

from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.deploy import docker, instance
from tinykit_ops.deploy.bans import bans_files
from tinykit_ops.deploy.edge import nginx_unit
from tinykit_ops.deploy.packages import BANS, BTRFS, CLOCK, INSTANCE, NGINX, UPGRADES
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.host_facts import HostFacts
from tinykit_ops.ops.system import packages, system_users
from tinykit_ops.ops.tree import File, Folder, tree
from tinykit_ops.ops.units import unit

SWITCH = """\
// Managed by tinykit-ops.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "{switch}";
"""
TMPFILES = f"""\
# Managed by tinykit-ops.
d {layout.LOCK_DIR} 0755 root root
d {layout.STARTED_DIR} 0755 root root
"""

settings = instance.settings()
upgrades = settings.unattended_upgrades
with_nginx = settings.edge.kind == "nginx"
with_btrfs = any(target.kind == "btrfs" for target in settings.backup.targets)
facts = host.get_fact(HostFacts)
clock = facts.get("clock") or CLOCK

hold_host()
if with_nginx:
    tree(
        name="Write nginx's unit before its package comes, which would start a site of its own",
        entries=[nginx_unit()],
    )
if settings.bans.enabled:
    tree(
        name="Write fail2ban's jails before its package comes, which starts it at once",
        entries=bans_files(settings),
    )
packages(
    name="Install the distribution's packages",
    names=[
        *INSTANCE,
        clock,
        *(UPGRADES if upgrades else []),
        *(NGINX if with_nginx else []),
        *(BANS if settings.bans.enabled else []),  # with the others: apt takes its time once
        *(docker.packages(facts) if settings.in_containers else []),
        *(BTRFS if with_btrfs else []),
    ],
)
system_users(
    name="Make the users that the programs run as",
    homes={
        layout.POCKETBASE_USER: layout.POCKETBASE_STATE,
        layout.TINYKIT_USER: layout.TINYKIT_HOME,
        layout.CADDY_USER: layout.CADDY_STATE,
    },
)
tree(
    name="Make the folders, and switch unattended upgrades on or off",
    entries=[
        *(Folder(path) for path in (layout.AGENT_HOME, layout.TINYKIT_HOME, layout.NODE_HOME)),
        *(Folder(path) for path in (layout.POCKETBASE_HOME, layout.CADDY_HOME)),
        Folder(f"{layout.TINYKIT_HOME}/incoming", mode="700"),
        Folder(layout.TINYKIT_RELEASES),
        Folder(layout.CONFIG_DIR, mode="700"),
        Folder(layout.SECRETS_DIR, mode="700"),
        Folder(layout.TINYKIT_CONFIG_DIR, mode="700"),
        Folder(layout.STATE_DIR),
        Folder(layout.LOCK_DIR),
        Folder(layout.STARTED_DIR),
        File("/etc/tmpfiles.d/tinykit-ops.conf", TMPFILES),
        File("/etc/apt/apt.conf.d/21tinykit-ops", SWITCH.format(switch=int(upgrades))),
    ],
)
unit(name="Keep the clock right", unit=f"{clock}.service", files=[])
