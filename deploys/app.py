"""tinykit's server: its unit, as a user that cannot read PocketBase's data, and its release.

A release, or anything else that it reads at its start, is changed without a gap: see
tinykit_ops/host/serve_step.py.
"""

from tinykit_ops import layout
from tinykit_ops.deploy import docker, instance
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import File, tree

TEMPLATE = "systemd/tinykit.service.j2"

settings = instance.settings()


def unit_text(*, standby: bool) -> str:
    """The unit that serves, or the one that does meanwhile."""
    if settings.in_containers:
        return docker.tinykit_unit(settings, docker.STANDBY if standby else docker.SERVER)
    return render(TEMPLATE, settings=settings, standby=standby)


hold_host()
written = tree(
    name="Write tinykit's units",
    entries=[
        File(f"/etc/systemd/system/{unit}", unit_text(standby=standby))
        for unit, standby in (
            (layout.TINYKIT_UNIT, False),
            (layout.TINYKIT_STANDBY_UNIT, True),
        )
    ],
)
agent_step(
    name="Let the release serve",
    step=["serve", instance.release().sha256],
    after=[written],
    on_bare_host="work",
)
agent_step(
    name="Finish a rotation of secrets that was interrupted",
    step=["rotation"],
    on_bare_host="nothing",
)
