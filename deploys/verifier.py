"""A verifier: proves other hosts' backups by a schedule, prunes where it may, and looks at the
instances from outside every night.

    pyinfra INVENTORY deploys/verifier.py

Does nothing on hosts of the inventory that are no verifiers.
"""

from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.deploy.packages import CLOCK, VERIFIER
from tinykit_ops.deploy.preflight import problem_of_system
from tinykit_ops.deploy.verifier import verifier_files, verifier_of
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.host_facts import HostFacts
from tinykit_ops.ops.install_agent import install_agent
from tinykit_ops.ops.refuse import refuse
from tinykit_ops.ops.system import packages
from tinykit_ops.ops.tree import File, Folder, tree
from tinykit_ops.ops.units import unit
from tinykit_ops.settings.verifier_inventory import is_verifier

if is_verifier(host):
    settings, instances = verifier_of(host)
    facts = host.get_fact(HostFacts)
    clock = facts.get("clock") or CLOCK

    refuse(
        name="See that this host can become a verifier",
        problem=problem_of_system(facts, unsupported_os_ok=settings.unsupported_os_ok),
    )
    hold_host()
    packages(name="Install the distribution's packages", names=[*VERIFIER, clock])
    tree(
        name="Make the folders",
        entries=[
            *(Folder(path) for path in (layout.AGENT_HOME, layout.POCKETBASE_HOME)),
            *(Folder(path, mode="700") for path in (layout.CONFIG_DIR, layout.INSTANCES_DIR)),
            Folder(layout.STATE_DIR),
            Folder(layout.LOCK_DIR),
            File(
                "/etc/tmpfiles.d/tinykit-ops.conf",
                f"# Managed by tinykit-ops.\nd {layout.LOCK_DIR} 0755 root root\n",
            ),
        ],
    )
    install_agent(name="Install tinykit-ops as the host's agent")
    files = tree(
        name="Write what it verifies, with which secrets, and when",
        entries=verifier_files(settings, instances),
    )
    agent_step(
        name="Install each PocketBase that the instances run, and forget instances that are gone",
        step=["verifier"],
        after=[files],
    )
    unit(name="Run cron", unit="cron.service", files=[])
    unit(name="Keep the clock right", unit=f"{clock}.service", files=[])
