"""The look at traffic and host every minute, and exporters for a Prometheus.

What the look does is the agent's. Caddy's own numbers are in its configuration, and the firewall
lets scrapers through: deploys/full.py brings all of it.
"""

from tinykit_ops.deploy import exporters, instance
from tinykit_ops.deploy.monitoring import watch_files
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.system import packages
from tinykit_ops.ops.tree import tree
from tinykit_ops.ops.units import no_unit, unit

settings = instance.settings()
wanted = exporters.exporters(settings)

hold_host()
tree(name="Write the schedule of the watch", entries=watch_files(settings))
if wanted:
    # The files first: the packages start their programs at once, for everybody.
    written = tree(name="Write how the exporters run", entries=exporters.exporter_files(settings))
    packages(name="Install the exporters", names=[one.package for one in wanted])
for one in wanted:
    unit(
        name=f"Run the exporter that tells about {one.what}",
        unit=one.unit,
        files=[one.drop_in],
        after=[written],
    )
for one in exporters.ALL:
    if one not in wanted:
        no_unit(
            name=f"Stop the exporter that tells about {one.what}, if it is ours",
            unit=one.unit,
            leftovers=[one.drop_in],
        )
