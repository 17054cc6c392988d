"""Reports of checks, one module a format.

A format is a module with `NAME` and `render(report: Report) -> str`; `text` is for people and takes
a console besides. A module is loaded when its format is asked for: some bring much with them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

from tinykit_ops.checks.runner import Report

_MODULES = ("html", "json_format", "jsonl", "junit", "markdown", "prometheus", "sarif", "text")


def formats() -> dict[str, Callable[[Report], str]]:
    """The formats there are, by the name that `--format` takes."""
    return {module.removesuffix("_format"): partial(_render, module) for module in _MODULES}


def _render(module: str, report: Report) -> str:
    return str(import_module(f"{__name__}.{module}").render(report))
