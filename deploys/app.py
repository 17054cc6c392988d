"""tinykit's server: its unit, as a user that cannot read PocketBase's data."""

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import File, tree
from tinykit_ops.ops.units import unit

UNIT_FILE = f"/etc/systemd/system/{layout.TINYKIT_UNIT}"

hold_host()
written = tree(
    name="Write tinykit's unit",
    entries=[
        File(UNIT_FILE, render("systemd/tinykit.service.j2", settings=instance.settings())),
    ],
)
unit(
    name="Run tinykit",
    unit=layout.TINYKIT_UNIT,
    files=[
        UNIT_FILE,
        layout.TINYKIT_ENVIRONMENT,
        layout.TINYKIT_CURRENT,
        f"{layout.NODE_HOME}/current",
    ],
    after=[written],
)
agent_step(name="Finish a rotation of secrets that was interrupted", step=["rotation"])
