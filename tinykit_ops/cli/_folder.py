"""Click groups whose commands are imported only when they are called.

So that a start, and `--help` of the others, stay quick on a small server.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows where its commands are.

    Args:
        places: command → `module:name of the command in it`.
    """

    def __init__(self, *args: Any, places: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._places = dict(places)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        command.name = cmd_name
        return command


class CommandFolder(LazyGroup):
    """Each module of the package is a subcommand: `lab.py` defines `command` and becomes `lab`.

    Nothing registers it by hand. `import_.py` becomes `import`; modules that begin with `_` are
    none.

    Args:
        package, folders: `__name__` and `__path__` of the package.
    """

    def __init__(self, *args: Any, package: str, folders: Iterable[str], **more: Any) -> None:
        found = (module.name for module in pkgutil.iter_modules(folders))
        places = {
            name.rstrip("_").replace("_", "-"): f"{package}.{name}:command"
            for name in found
            if not name.startswith("_")
        }
        super().__init__(*args, places=places, **more)
