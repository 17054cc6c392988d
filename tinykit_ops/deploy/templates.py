"""Rendering `templates/`: strict, so that a forgotten variable fails on the controller."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tinykit_ops import layout

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"


@cache
def _environment() -> Environment:
    # These are unit files, shell and proxy configurations: nothing here is HTML.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=False,
    )
    environment.filters["systemd"] = systemd_quoted
    return environment


def systemd_quoted(value: object) -> str:
    """A word of a unit's `Environment=`, whatever is in it: no specifier, no end of a quote."""
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%") + '"'


def render(name: str, **variables: Any) -> str:
    """The text of `templates/NAME` with these variables, and `layout`.

    Raises:
        jinja2.UndefinedError: the template uses a variable that was not given.
    """
    return _environment().get_template(name).render(layout=layout, **variables)
