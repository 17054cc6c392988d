"""Node.js, PocketBase and Caddy: the pinned binaries, the same on every Debian.

nginx is the distribution's, and comes with the base system.
"""

from tinykit_ops.deploy import instance
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host

edge = ["caddy"] if instance.settings().edge.kind == "caddy" else []

hold_host()
agent_step(
    name=f"Install Node.js, PocketBase{' and Caddy' if edge else ''}",
    step=["artifact", "node", "pocketbase", *edge],
    on_bare_host="work",
)
