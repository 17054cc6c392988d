"""The nightly look at the host's own checklist; what it does is the agent's."""

from tinykit_ops.deploy import instance
from tinykit_ops.deploy.checks import check_files
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import tree
from tinykit_ops.ops.units import unit

hold_host()
tree(name="Write the schedule of checks", entries=check_files(instance.settings()))
unit(name="Run cron", unit="cron.service", files=[])
