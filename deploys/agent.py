"""The agent: tinykit-ops on the host, what it knows, and the secrets that it keeps."""

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.install_agent import install_agent
from tinykit_ops.ops.tree import File, tree

hold_host()
install_agent(name="Install tinykit-ops as the host's agent")
files = tree(
    name="Write the agent's configuration and the secrets that the inventory gives",
    entries=[
        File(layout.AGENT_COMMAND, render("agent/tinykit-ops.sh.j2"), mode="755"),
        File(layout.CONFIG_FILE, agent_config(instance.settings()), mode="600"),
        *(File(path, value, mode="600") for path, value in instance.secrets().items()),
    ],
)
agent_step(
    name="Make the secrets that the inventory does not give, and tinykit's environment",
    step=["secrets"],
    after=[files],
    on_bare_host="work",
)
