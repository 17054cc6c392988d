"""What PocketBase needs on its command line, and its hooks as files for a host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from tinykit_ops import layout
from tinykit_ops.deploy.templates import TEMPLATES
from tinykit_ops.ops.tree import File, Folder

HOOKS = TEMPLATES / "pocketbase" / "hooks"
#: The wheel's build looks in the current directory for all of these unless told (pocketbase-facts).
DIRECTORIES = (
    f"--dir {layout.POCKETBASE_DATA} --migrationsDir {layout.TINYKIT_MIGRATIONS} "
    f"--hooksDir {layout.POCKETBASE_HOOKS} --publicDir {layout.POCKETBASE_PUBLIC} "
    "--automigrate=false"
)
#: Secrets that the unit hands to the server and its hooks; a new one takes a restart.
CREDENTIALS = (
    layout.SUPERUSER_PASSWORD,
    layout.HOOK_TOKEN,
    layout.BASIC_PASSWORD,
    layout.BASIC_COOKIE,
)


def hook_files() -> Iterator[Folder | File]:
    """The hooks folder and every file in it, folders first; root's, and readable by all."""
    yield Folder(layout.POCKETBASE_HOOKS)
    for path in sorted(HOOKS.rglob("*")):
        target = str(PurePosixPath(layout.POCKETBASE_HOOKS, *path.relative_to(HOOKS).parts))
        yield Folder(target) if path.is_dir() else File(target, path.read_bytes())
