"""Node.js, PocketBase and Caddy: the pinned binaries, the same on every Debian."""

from tinykit_ops.ops.agent import agent_step

agent_step(
    name="Install Node.js, PocketBase and Caddy",
    step=["artifact", "node", "pocketbase", "caddy"],
)
