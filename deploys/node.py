"""Node.js: the pinned binary, the same on every Debian."""

from tinykit_ops.ops.agent import agent_step

agent_step(name="Install Node.js", step=["artifact", "node"])
