"""What a proxy has to do for an instance: the route table with the settings applied.

Both proxies are rendered from this plan, row by row and in order, so that they cannot differ in
anything but their syntax.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from tinykit_ops import layout
from tinykit_ops.edge.route import EdgeAnswer, Route, RouteClass, Upstream
from tinykit_ops.edge.routes import ROUTES
from tinykit_ops.edge.security_txt import security_txt
from tinykit_ops.settings import Settings
from tinykit_ops.settings.access import Gate, Proof

UPSTREAMS = {
    Upstream.TINYKIT: f"127.0.0.1:{layout.TINYKIT_PORT}",
    Upstream.POCKETBASE: f"127.0.0.1:{layout.POCKETBASE_PORT}",
}
#: Takes the visitors of tinykit's server while that one is replaced (host/serve_step.py).
STANDBY = f"127.0.0.1:{layout.TINYKIT_STANDBY_PORT}"
LOGIN_PAGE = "/login"


class Role(StrEnum):
    """What a site is for."""

    WHOLE = "whole"  #: everything on one origin
    BUILDER = "builder"  #: the builder's own origin
    PUBLISHED = "published"  #: published apps only


@dataclass(frozen=True)
class GatePlan:
    """One gate as one kind of row asks it.

    Attributes:
        name: unique in a plan: `builder`, `builder-page`, `builder-door`, …
        networks: whose address is trusted; empty when addresses do not matter.
        judge: the proofs that PocketBase's hook looks for (`account`, `basic`).
        match: how `networks` and all of `judge` combine; also passed on to the judge.
        page: a refusal leads a browser to the login page, or to its password dialogue.
        closed: nobody can pass.
    """

    name: str
    networks: tuple[str, ...]
    judge: tuple[Proof, ...]
    match: str
    page: bool
    closed: bool

    @property
    def judge_uri(self) -> str:
        """What the edge asks PocketBase: 204 passes, 401 and 403 refuse.

        For a page, 401 carries a Basic challenge to hand on, and 403 means "log in first".
        """
        words = f"need={'+'.join(self.judge)}&match={self.match}"
        return f"{layout.JUDGE_ROUTE}?{words}{'&page=1' if self.page else ''}"


@dataclass(frozen=True)
class Row:
    """One row of a site. At most one of `answer`, `never` and `upstream` applies.

    Attributes:
        holds_apps: HTML that is no page of tinykit's own runs nothing. tinykit answers any path
            that it does not know, `/login/x` or `/LOGIN`, with the app whose domain is the Host's
            name.
    """

    route: Route
    answer: EdgeAnswer | None = None
    never: bool = False
    gate: GatePlan | None = None
    upstream: str = ""
    drops_origin: bool = False
    holds_apps: bool = False


@dataclass(frozen=True)
class Site:
    """Host names that are served alike."""

    role: Role
    names: tuple[str, ...]
    rows: tuple[Row, ...]


def sites(settings: Settings) -> tuple[Site, ...]:
    """The sites of an instance, the builder's first when it has its own."""
    gates = {
        RouteClass.BUILDER: settings.access.builder,
        RouteClass.ADMIN: settings.access.admin,
    }
    networks = tuple(str(network) for network in settings.access.allowlist)
    table = (*_own_rows(settings), *ROUTES)

    def site(role: Role, *names: str) -> Site:
        rows = tuple(_row(_in_role(route, role), gates, networks, role) for route in table)
        if role is Role.BUILDER:
            return Site(role, names, (_HOME, *rows, _BUILDER_FILES, _NOTHING_ELSE))
        return Site(role, names, (*rows, REST))

    if settings.builder_domain is None:
        return (site(Role.WHOLE, *settings.domains),)
    return (
        site(Role.BUILDER, settings.builder_domain),
        site(Role.PUBLISHED, *settings.domains),
    )


def gates_of(site: Site) -> tuple[GatePlan, ...]:
    """The different gates of a site's rows."""
    return tuple(dict.fromkeys(row.gate for row in site.rows if row.gate))


#: What is in no row of the table belongs to the published app.
REST = Row(Route("app", ("/*",), RouteClass.PUBLISHED), upstream=UPSTREAMS[Upstream.TINYKIT])
#: The builder's origin has no published app, and must not get one: tinykit would serve a project
#: whose domain somebody sets to the builder's name, and its scripts could take every session.
_BUILDER_FILES = Row(
    Route(
        "builder-files",
        ("/_app/*", "/favicon.png", "/logo-*.svg", "/screenshot*.png"),
        RouteClass.PUBLISHED,
        methods=("GET", "HEAD"),
    ),
    upstream=UPSTREAMS[Upstream.TINYKIT],
    holds_apps=True,
)
_NOTHING_ELSE = Row(Route("builder-rest", ("/*",), RouteClass.NEVER), never=True)
_HOME = Row(
    Route("builder-home", ("/",), RouteClass.ANSWERED),
    answer=EdgeAnswer(302, "", "text/plain", location="/tinykit"),
)


def _own_rows(settings: Settings) -> Iterator[Route]:
    """Rows that come from the settings and not from tinykit."""
    if settings.edge.security_txt:
        yield Route(
            "security-txt",
            ("/.well-known/security.txt",),
            RouteClass.ANSWERED,
            methods=("GET", "HEAD"),
            answer=EdgeAnswer(200, security_txt(settings), "text/plain; charset=utf-8"),
            note="Whom to tell about a vulnerability (RFC 9116).",
        )


def _in_role(route: Route, role: Role) -> Route:
    """What becomes of a row on this kind of site."""
    own = route.name == "security-txt"
    if role is Role.PUBLISHED and route.classification is not RouteClass.PUBLISHED and not own:
        return replace(route, classification=RouteClass.NEVER, answer=None)
    if role is Role.BUILDER and route.classification is RouteClass.PUBLISHED:
        # Previews use them, and nobody but builders has previews.
        return replace(route, classification=RouteClass.BUILDER)
    return route


def _row(route: Route, gates: dict[RouteClass, Gate], networks: tuple[str, ...], role: Role) -> Row:
    if route.classification is RouteClass.NEVER:
        return Row(route, never=True)
    if route.answer:
        return Row(route, answer=route.answer)
    gate = gates.get(route.classification)
    return Row(
        route,
        gate=_gate_plan(route, gate, networks) if gate else None,
        upstream=UPSTREAMS[route.upstream],
        # tinykit would compare it with the project's own domain; the edge has compared it already.
        drops_origin=role is Role.BUILDER and route.exact_origin,
        holds_apps=(
            role is Role.BUILDER
            and route.upstream is Upstream.TINYKIT
            and "Content-Security-Policy" not in dict(route.headers)
        ),
    )


def _gate_plan(route: Route, gate: Gate, networks: tuple[str, ...]) -> GatePlan | None:
    """The gate before one row; None when it lets everybody pass."""
    proofs = [proof for proof in gate.require if not (route.door and proof == "account")]
    if route.door and "account" in gate.require and (gate.match == "any" or not proofs):
        return None  # whoever may log in must be able to
    by_address = "allowlist" in proofs
    judge = tuple(proof for proof in proofs if proof != "allowlist")
    kind = "door" if route.door and route.page else "entry" if route.door else ""
    kind = kind or ("page" if route.page else "")
    return GatePlan(
        name="-".join(part for part in (route.classification.value, kind) if part),
        networks=networks if by_address else (),
        judge=judge,
        match=gate.match,
        page=route.page,
        closed=by_address and not networks and not (judge and gate.match == "any"),
    )
