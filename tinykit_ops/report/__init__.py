"""Reports of checks, one module a format.

A format is a module with `NAME` and `render(report: Report) -> str`, found by itself; `text` is
for people and takes a console besides.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module

from tinykit_ops.checks.runner import Report


def formats() -> dict[str, Callable[[Report], str]]:
    """The formats there are, by the name that `--format` takes."""
    modules = (
        import_module(f"{__name__}.{each.name}")
        for each in pkgutil.iter_modules(__path__)
        if not each.name.startswith("_")
    )
    return {module.NAME: module.render for module in modules if hasattr(module, "NAME")}
