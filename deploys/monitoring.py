"""The look at traffic and host every minute; what it does is the agent's."""

from tinykit_ops.deploy import instance
from tinykit_ops.deploy.monitoring import watch_files
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import tree

hold_host()
tree(name="Write the schedule of the watch", entries=watch_files(instance.settings()))
