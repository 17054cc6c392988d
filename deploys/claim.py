"""Claim the instance before anything is exposed: superuser, first account, closed sign-up.

PocketBase's unit makes the superuser before the server starts; the rest goes through its API.
"""

from tinykit_ops import layout
from tinykit_ops.deploy import docker, instance
from tinykit_ops.deploy.pocketbase import CREDENTIALS
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.units import unit

hold_host()
settings = instance.settings()
reads = docker.pocketbase_reads(settings) if settings.in_containers else []
agent_step(
    name="Switch to another version of PocketBase", step=["pocketbase"], on_bare_host="nothing"
)
unit(
    name="Run PocketBase",
    unit=layout.POCKETBASE_UNIT,
    files=[
        f"/etc/systemd/system/{layout.POCKETBASE_UNIT}",
        f"{layout.POCKETBASE_HOME}/current",
        layout.POCKETBASE_HOOKS,
        layout.TINYKIT_MIGRATIONS,
        *reads,
        *(f"{layout.SECRETS_DIR}/{name}" for name in CREDENTIALS),
    ],
)
agent_step(
    name="Make the first account, close sign-up and settings, seed the domains, set the limits",
    step=["claim"],
    on_bare_host="work",
)
