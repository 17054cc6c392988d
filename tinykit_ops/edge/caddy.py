"""Render the route table for Caddy.

Caddy's `path` matcher decodes, merges slashes and dot segments, and ignores case, as
`edge.paths.normalise` does; the rows are written in their order and the first that matches wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.edge.route import EdgeAnswer, Route, RouteClass, Upstream
from tinykit_ops.edge.routes import ROUTES
from tinykit_ops.settings import Settings
from tinykit_ops.settings.model import Gate

CERTIFICATE = "/etc/caddy/tls/certificate.pem"
KEY = "/etc/caddy/tls/key.pem"
DIRECTORY_CA = "/etc/caddy/tls/directory-ca.pem"
HOOK_TOKEN = f"/run/credentials/{layout.CADDY_UNIT}/{layout.HOOK_TOKEN}"
# The same for both: nobody can have a superuser's token yet when the gate is before the page where
# superusers log in. An account opens the gate, and PocketBase then asks for the superuser.
_JUDGES = {RouteClass.BUILDER: "users", RouteClass.ADMIN: "users"}
_UPSTREAMS = {
    Upstream.TINYKIT: f"127.0.0.1:{layout.TINYKIT_PORT}",
    Upstream.POCKETBASE: f"127.0.0.1:{layout.POCKETBASE_PORT}",
}


@dataclass(frozen=True)
class GateView:
    """A gate as the template reads it.

    Attributes:
        networks: who is on the allowlist; None when addresses do not matter.
        account: an account is asked for.
        any: either proof is enough.
        closed: nobody can pass.
        judge: which of the hook's judges decides.
        redirect: send a browser to the login page instead of saying 401.
    """

    name: str
    networks: list[str] | None
    account: bool
    any: bool
    closed: bool
    judge: str
    redirect: bool


@dataclass(frozen=True)
class RowView:
    """A route as the template reads it; at most one of answer, never and upstream applies."""

    name: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    answer: EdgeAnswer | None
    never: bool
    gate: str
    strip: str
    prepend: str
    upstream: str


def caddyfile(settings: Settings) -> str:
    """The whole Caddyfile of an instance."""
    return render(
        "caddy/Caddyfile.j2",
        settings=settings,
        tls=settings.edge.tls,
        hosts=list(host_names(settings)),
        gates=list(_gates(settings)),
        rows=[_row(route) for route in ROUTES],
        tinykit=_UPSTREAMS[Upstream.TINYKIT],
        pocketbase=_UPSTREAMS[Upstream.POCKETBASE],
        hook_token_file=HOOK_TOKEN,
        certificate_path=CERTIFICATE,
        key_path=KEY,
        directory_ca_path=DIRECTORY_CA,
    )


def host_names(settings: Settings) -> Iterator[str]:
    """The host names that the edge answers to: the inventory's, and no others."""
    yield from settings.domains


def _gates(settings: Settings) -> Iterator[GateView]:
    networks = [str(network) for network in settings.access.allowlist]
    for kind, gate in (
        (RouteClass.BUILDER, settings.access.builder),
        (RouteClass.ADMIN, settings.access.admin),
    ):
        # Three of each: pages send people to the door, calls get a status, doors ask less.
        yield _gate(kind, gate, networks, name=f"{kind.value}", redirect=False)
        yield _gate(kind, gate, networks, name=f"{kind.value}-page", redirect=True)
        yield _door(kind, gate, networks)


def _gate(
    kind: RouteClass, gate: Gate, networks: list[str], *, name: str, redirect: bool
) -> GateView:
    by_address = "allowlist" in gate.require
    account = "account" in gate.require
    either = gate.match == "any"
    return GateView(
        name=name,
        networks=networks if by_address and networks else None,
        account=account,
        any=either and by_address and bool(networks),
        closed=by_address and not networks and not (account and either),
        judge=_JUDGES[kind],
        redirect=redirect,
    )


def _door(kind: RouteClass, gate: Gate, networks: list[str]) -> GateView:
    """The door to a gate: nobody can have proven an account there yet."""
    needs_address = "allowlist" in gate.require and not (
        gate.match == "any" and "account" in gate.require
    )
    return GateView(
        name=f"{kind.value}-door",
        networks=networks if needs_address and networks else None,
        account=False,
        any=False,
        closed=needs_address and not networks,
        judge=_JUDGES[kind],
        redirect=False,
    )


def _row(route: Route) -> RowView:
    return RowView(
        name=route.name,
        paths=route.paths,
        methods=route.methods,
        answer=route.answer,
        never=route.classification is RouteClass.NEVER,
        gate=_gate_name(route),
        strip=route.strip,
        prepend=route.prepend,
        upstream=_UPSTREAMS[route.upstream],
    )


def _gate_name(route: Route) -> str:
    if route.classification not in _JUDGES:
        return ""
    if route.door:
        return f"{route.classification.value}-door"
    if route.name in {"builder-pages", "preview"}:
        return f"{route.classification.value}-page"
    return route.classification.value
