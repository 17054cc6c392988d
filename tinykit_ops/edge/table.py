"""The route table in words, for people and programs; `table_page` prints it.

Without settings it is the table as it stands (docs/edge-routes.md); with those of a host it is
what that host's proxy does, site by site.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinykit_ops.edge.caddy import FULL_HOUSES
from tinykit_ops.edge.plan import GatePlan, Row, Site, sites
from tinykit_ops.edge.route import EdgeAnswer, Limit, Route, RouteClass, Upstream
from tinykit_ops.edge.routes import ROUTES
from tinykit_ops.settings import Settings
from tinykit_ops.settings.edge import LimitSettings

#: What each upstream is called.
PROGRAMS = {Upstream.TINYKIT: "tinykit", Upstream.POCKETBASE: "PocketBase"}
_PLAIN_GATES = {
    RouteClass.BUILDER: "builder",
    RouteClass.ADMIN: "admin",
}
#: The row that is in no table: what no other row names.
_REST = Route("(anything else)", ("/*",), RouteClass.PUBLISHED, note="The published app's own.")


@dataclass(frozen=True)
class Line:
    """One row in words, ready to be printed.

    Attributes:
        name: of the row, unique within a table.
        paths: patterns, lower case; the first row that matches wins.
        methods: to which the row applies; empty means all.
        classification: published, builder, admin, answered or never.
        gate: who passes; empty when everybody does.
        answered_by: `tinykit`, `PocketBase`, or what the edge says itself.
        limit: what of it is counted by address; empty when nothing is.
        headers: what is done to the headers, one sentence each.
        note: why the row is as it is.
    """

    name: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    classification: str
    gate: str
    answered_by: str
    limit: str
    headers: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Table:
    """The rows of one site of one host; without settings, of no site in particular."""

    host: str
    role: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]


def plain_table() -> Table:
    """The table as it stands, before any settings; numbers of limits are the defaults."""
    limits = _limits(LimitSettings())
    lines = tuple(_plain_line(route, limits) for route in (*ROUTES, _REST))
    return Table("", "", (), lines)


def tables_of(host: str, settings: Settings) -> tuple[Table, ...]:
    """What the proxy of a host does: a table for each of its sites."""
    return tuple(_table(host, site, settings) for site in sites(settings))


def _table(host: str, site: Site, settings: Settings) -> Table:
    limits = _limits(settings.edge.limits, settings.edge.kind)
    lines = [_line(row, limits) for row in site.rows]
    if not any("/*" in row.route.paths for row in site.rows):
        lines.append(_plain_line(_REST, limits))
    return Table(host, site.role.value, site.names, tuple(lines))


def _plain_line(route: Route, limits: Mapping[Limit, str]) -> Line:
    gate = _PLAIN_GATES.get(route.classification, "")
    if gate and route.door:
        gate += ", without the account"
    answer = "404" if route.classification is RouteClass.NEVER else _answer(route.answer)
    return _words(route, gate, answer or PROGRAMS[route.upstream], limits)


def _line(row: Row, limits: Mapping[Limit, str]) -> Line:
    answer = "404" if row.never else _answer(row.answer)
    gate = _gate(row.gate) if row.gate else ""
    return _words(row.route, gate, answer or PROGRAMS[row.route.upstream], limits)


def _words(route: Route, gate: str, answered_by: str, limits: Mapping[Limit, str]) -> Line:
    passed_on = route.classification not in {RouteClass.NEVER, RouteClass.ANSWERED}
    return Line(
        name=route.name,
        paths=route.paths,
        methods=route.methods,
        classification=route.classification.value,
        gate=gate,
        answered_by=answered_by,
        limit=limits[route.limit] if route.limit and passed_on else "",
        headers=tuple(_headers(route)) if passed_on else (),
        note=route.note,
    )


def _answer(answer: EdgeAnswer | None) -> str:
    if answer is None:
        return ""
    said = f"redirect to {answer.location}" if answer.location else answer.body.partition("\n")[0]
    return f"{answer.status} {said}".strip()


def _gate(gate: GatePlan) -> str:
    """Who passes, as `account and (203.0.113.7, 2001:db8::/48)`."""
    if gate.closed:
        return "nobody"
    proofs: list[str] = list(gate.judge)
    if gate.networks:
        proofs.append(f"address in {', '.join(gate.networks)}")
    return (" or " if gate.match == "any" else " and ").join(proofs)


def _limits(limits: LimitSettings, kind: str = "") -> dict[Limit, str]:
    """Each limit in words; without a proxy's name, those of both."""
    words = {limit: f"{getattr(limits, limit.value)} a minute" for limit in Limit}
    opened = f"{limits.streams} opened a minute, {FULL_HOUSES * limits.streams} open by all"
    open_at_once = f"{limits.streams} open at a time"
    both = f"{open_at_once}; with Caddy {opened}"
    words[Limit.STREAMS] = {"nginx": open_at_once, "caddy": opened}.get(kind, both)
    return words


def _headers(route: Route) -> Iterator[str]:
    for name, value in route.headers:
        yield f"{name}: {value}"
    if route.attaches:
        yield "HTML, SVG and XML as downloads"
    if route.exact_origin:
        yield "Origin must be the site's own"
