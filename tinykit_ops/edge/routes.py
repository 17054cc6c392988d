"""THE route table: every route of a tinykit instance, who may use it, and who answers it.

Proxies are rendered from it, the checks probe what it says, and the docs print it; so two proxies
cannot drift apart and a check cannot forget a route. The first row that matches a request wins.
What is in no row belongs to the published app.
"""

from __future__ import annotations

from tinykit_ops.edge.paths import normalise
from tinykit_ops.edge.pocketbase_routes import pocketbase_routes
from tinykit_ops.edge.probe import Probe, Seen
from tinykit_ops.edge.route import EdgeAnswer, Route, RouteClass, Upstream
from tinykit_ops.edge.tinykit_routes import (
    builder_routes,
    file_routes,
    published_routes,
    setup_routes,
)

__all__ = [
    "ROUTES",
    "EdgeAnswer",
    "Probe",
    "Route",
    "RouteClass",
    "Seen",
    "Upstream",
    "classify",
    "route_named",
]

ROUTES: tuple[Route, ...] = (
    *setup_routes(),
    *file_routes(),
    *builder_routes(),
    *published_routes(),
    *pocketbase_routes(),
)


def classify(method: str, path: str) -> Route | None:
    """The row for a request, or None when it belongs to the published app.

    Args:
        method: HTTP method.
        path: as on the request line, in any spelling.
    """
    normalised = normalise(path)
    return next((route for route in ROUTES if route.covers(method, normalised)), None)


def route_named(name: str) -> Route:
    """The row of that name. Raises KeyError when there is none."""
    for route in ROUTES:
        if route.name == name:
            return route
    raise KeyError(name)
