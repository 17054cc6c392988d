"""The schedule of backups; what a run does is the agent's."""

from tinykit_ops import layout
from tinykit_ops.backup.schedule import jobs, verify_jobs
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import File, tree
from tinykit_ops.ops.units import unit

settings = instance.settings()
schedule = render("cron/tinykit-ops.j2", jobs=jobs(settings), verifying=verify_jobs(settings))

hold_host()
tree(name="Write the schedule of backups", entries=[File(layout.CRON_FILE, schedule)])
unit(name="Run cron", unit="cron.service", files=[])
