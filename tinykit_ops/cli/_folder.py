"""A click group whose commands are the modules of a package."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import click


class CommandFolder(click.Group):
    """Each module of the package is a subcommand: `lab.py` defines `command` and becomes `lab`.

    Nothing registers it by hand, and it is imported only when it is called, so that `--help` stays
    quick on a small server. `import_.py` becomes `import`; modules that begin with `_` are none.

    Args:
        package, folders: `__name__` and `__path__` of the package.
    """

    def __init__(self, *args: Any, package: str, folders: Iterable[str], **more: Any) -> None:
        super().__init__(*args, **more)
        found = (module.name for module in pkgutil.iter_modules(folders))
        self._modules = {
            name.rstrip("_").replace("_", "-"): f"{package}.{name}"
            for name in found
            if not name.startswith("_")
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        command: click.Command = import_module(self._modules[cmd_name]).command
        command.name = cmd_name
        return command
