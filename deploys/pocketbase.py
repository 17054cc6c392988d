"""PocketBase: its folders, its hooks, a wrapper that knows its directories, its unit.

The unit starts in claim.py, when the release has brought the migrations.
"""

from tinykit_ops import layout
from tinykit_ops.deploy import docker, instance
from tinykit_ops.deploy.pocketbase import CREDENTIALS, DIRECTORIES, hook_files
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.tree import File, Folder, tree

OWNED = {"user": layout.POCKETBASE_USER, "group": layout.POCKETBASE_USER}

settings = instance.settings()
hold_host()
if settings.in_containers:
    unit_file = docker.pocketbase_unit()
else:
    unit_file = render(
        "systemd/pocketbase.service.j2",
        settings=settings,
        directories=DIRECTORIES,
        credentials=CREDENTIALS,
    )

tree(
    name="Write PocketBase's folders, hooks, wrapper and unit",
    entries=[
        Folder(layout.POCKETBASE_STATE, mode="700", **OWNED),
        Folder(layout.POCKETBASE_DATA, mode="700", **OWNED),
        Folder(layout.POCKETBASE_SNAPSHOTS, mode="700", **OWNED),
        Folder(layout.POCKETBASE_PUBLIC),
        *hook_files(),
        File(layout.POCKETBASE_COMMAND, render("pocketbase/pocketbase.sh.j2"), mode="755"),
        File(f"/etc/systemd/system/{layout.POCKETBASE_UNIT}", unit_file),
    ],
)
