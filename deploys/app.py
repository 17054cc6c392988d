"""tinykit's server: its unit, as a user that cannot read PocketBase's data, and its release.

A release, or anything else that it reads at its start, is changed without a gap: see
tinykit_ops/host/serve_step.py.
"""

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import File, tree

TEMPLATE = "systemd/tinykit.service.j2"

hold_host()
written = tree(
    name="Write tinykit's units",
    entries=[
        File(
            f"/etc/systemd/system/{unit}",
            render(TEMPLATE, settings=instance.settings(), standby=standby),
        )
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
)
agent_step(name="Finish a rotation of secrets that was interrupted", step=["rotation"])
