"""`tinykit-ops host`: the steps of a deploy that the agent does on the host itself.

A first deploy starts the agent a dozen times, so each step imports only what it needs.
"""

from __future__ import annotations

import click

from tinykit_ops.cli._folder import LazyGroup

_MODULES = {
    "_adopt": ("adopt-prepare", "adopt-stop", "adopt-finish", "adopt-loss", "adopt-back"),
    "_bans": ("bans",),
    "_certificates": ("acme", "acme-install", "certificate"),
    "_claim": ("claim",),
    "_firewall": (
        "firewall-sets",
        "firewall-refresh",
        "firewall-apply",
        "firewall-confirm",
        "firewall-wait",
        "firewall-rollback",
    ),
    "_move": ("move",),
    "_pending": ("pending",),
    "_pocketbase": ("pocketbase", "pocketbase-switch", "pocketbase-settle"),
    "_programs": ("artifact", "runtime", "verifier"),
    "_releases": ("release", "serve"),
    "_secrets": ("secrets", "rotation"),
}


@click.group(
    cls=LazyGroup,
    places={
        name: f"{__name__}.{module}:{name.replace('-', '_')}"
        for module, names in _MODULES.items()
        for name in names
    },
)
def command() -> None:
    """Steps of a deploy, run by it on the host (root only)."""
