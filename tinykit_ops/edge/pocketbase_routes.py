"""The rows of the route table under `/_pb/`, which the edge sends to PocketBase itself.

Seen on PocketBase 0.23.4 and 0.40.6. Collections answer to their id as well as to their name, in
any case, so rows that open something name what they open and the rest of `collections` is closed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinykit_ops.edge.probe import (
    Probe,
    Response,
    get,
    is_dashboard,
    is_pocketbase_error,
    says,
)
from tinykit_ops.edge.route import Limit, Route, RouteClass, Upstream

API = "/_pb/api"
#: System collections that only superusers have business with, by name and by built-in id.
SUPERUSERS_ID = "pbc_3142635823"
SYSTEM_COLLECTIONS = (
    "_superusers",
    SUPERUSERS_ID,
    "_externalauths",
    "pbc_2281828961",
    "_mfas",
    "pbc_2279338944",
    "_otps",
    "pbc_1638494021",
    "_authorigins",
    "pbc_4275539003",
)


def pocketbase_routes() -> Iterator[Route]:
    """Everything under `/_pb/`."""
    yield from _closed_routes()
    yield from _admin_routes()
    yield from _login_doors()
    yield from _builder_routes()


def _closed_routes() -> Iterator[Route]:
    yield _row(
        "own-hooks",
        RouteClass.NEVER,
        f"{API}/tinykit-ops",
        f"{API}/tinykit-ops/*",
        note="tinykit-ops' own hooks: snapshots, and the judge that the edge asks itself.",
    )


def _admin_routes() -> Iterator[Route]:
    yield _row(
        "dashboard",
        RouteClass.ADMIN,
        "/_pb/_",
        "/_pb/_/*",
        page=True,
        note="PocketBase's dashboard.",
        probe=get("/_pb/_/", is_dashboard),
    )
    yield _row(
        "dashboard-files",
        RouteClass.ADMIN,
        *(f"/_pb/{folder}/*" for folder in ("libs", "images", "assets", "fonts")),
        prepend="/_",
        note="The dashboard's files, which it names relative to /_pb/.",
    )
    yield _row(
        "superusers",
        RouteClass.ADMIN,
        *(f"{API}/collections/{name}/*" for name in SYSTEM_COLLECTIONS),
        limit=Limit.LOGINS,
        note="Logging in as superuser; the place for brute force.",
        probe=get(
            f"{API}/collections/_superusers/auth-methods",
            lambda r: r.status == 200 and '"password":' in r.text,
        ),
    )
    for name, note in {
        "settings": "Mail, S3 and limiter settings.",
        "backups": "Every record, in one file.",
        "logs": "Requests and their addresses.",
        "crons": "Runs scheduled jobs.",
        "batch": "Many calls in one, of which the edge sees one; off, and tinykit sends none.",
        "sql": "A console for SQL (0.39.0 and later).",
    }.items():
        yield _row(
            name,
            RouteClass.ADMIN,
            f"{API}/{name}",
            f"{API}/{name}/*",
            note=note,
            probe=get(f"{API}/{name}", is_pocketbase_error),
        )


def _login_doors() -> Iterator[Route]:
    yield _row(
        "auth-with-password",
        RouteClass.BUILDER,
        f"{API}/collections/users/auth-with-password",
        methods=("POST",),
        door=True,
        limit=Limit.LOGINS,
        note="How an account is proven; guessing is limited here and by PocketBase.",
    )
    yield _row(
        "auth-refresh",
        RouteClass.BUILDER,
        f"{API}/collections/users/auth-refresh",
        methods=("POST",),
        door=True,
        note="Nothing to guess, so not counted as a login: each page that is loaded sends one, and "
        "tinykit logs a person out whose refresh is refused.",
    )


def _builder_routes() -> Iterator[Route]:
    yield _row(
        "records",
        RouteClass.BUILDER,
        f"{API}/collections/*/records",
        f"{API}/collections/*/records/*",
        note="Projects, accounts and templates; PocketBase's rules are the second guard.",
        probe=get(f"{API}/collections/users/records", _is_record_answer),
    )
    yield _row(
        "collections",
        RouteClass.ADMIN,
        f"{API}/collections",
        f"{API}/collections/*",
        note="The schema, and every way to log in that tinykit does not use.",
        probe=get(f"{API}/collections", is_pocketbase_error),
    )
    yield _row(
        "pocketbase-api",
        RouteClass.BUILDER,
        API,
        f"{API}/*",
        note="Files, realtime, batch, health.",
        probe=get(f"{API}/health", says(200, "API is healthy")),
    )
    yield _row(
        "pocketbase-rest",
        RouteClass.ADMIN,
        "/_pb",
        "/_pb/*",
        note="What else PocketBase serves; tinykit needs none of it.",
    )


def _is_record_answer(response: Response) -> bool:
    listed = response.status == 200 and '"totalItems":' in response.text
    return listed or is_pocketbase_error(response)


def _row(
    name: str,
    classification: RouteClass,
    *paths: str,
    methods: tuple[str, ...] = (),
    prepend: str = "",
    door: bool = False,
    page: bool = False,
    limit: Limit | None = None,
    note: str = "",
    probe: Probe | None = None,
) -> Route:
    return Route(
        name,
        paths,
        classification,
        methods=methods,
        upstream=Upstream.POCKETBASE,
        strip="/_pb",
        prepend=prepend,
        door=door,
        page=page,
        limit=limit,
        note=note,
        probe=probe,
    )
