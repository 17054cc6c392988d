"""What runs the services: systemd by itself, or containers that its units start.

With Docker: images out of the release and the pinned programs, compose.yml, and the network that
the containers share. What runs in the other runtime is stopped when everything is there; tinykit
and PocketBase are down from then until claim.py and app.py have started them.
"""

from tinykit_ops import layout
from tinykit_ops.deploy import docker, instance
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import tree
from tinykit_ops.ops.units import no_unit, unit
from tinykit_ops.ops.upload import upload_base

settings = instance.settings()
base = docker.base_archive(settings)
hold_host()

if settings.in_containers:
    written = tree(name="Write how the containers run", entries=list(docker.docker_files(settings)))
    if base:
        upload_base(name="Send the base image", archive=base[0], sha256=base[1])
    agent_step(
        name="Build the images, and stop what runs without containers",
        step=["runtime", *([base[1]] if base else [])],
    )
    network = f"{docker.UNITS}/{layout.NET_UNIT}"
    unit(
        name="Hold the network of the containers",
        unit=layout.NET_UNIT,
        files=[network, layout.DOCKER_NET],
        after=[written],
    )
    unit(
        name="Load the rules of that network",
        unit=layout.NET_UNIT,
        files=[layout.DOCKER_INSIDE],
        reload=True,
        after=[written],
    )
else:
    agent_step(name="Stop what runs in containers", step=["runtime"], on_bare_host="nothing")
    no_unit(
        name="Remove the network of containers, which the settings do not want",
        unit=layout.NET_UNIT,
        leftovers=[
            f"{docker.UNITS}/{layout.NET_UNIT}",
            layout.DOCKER_COMPOSE,
            layout.DOCKER_NET,
            layout.DOCKER_RUN,
            layout.DOCKER_INSIDE,
            layout.DOCKER_RESOLV,
            layout.DOCKER_BASE_NAME,
        ],
    )
