"""What is asked of an edge, and what each request is: written from what tinykit and PocketBase do
and from what the edge promises, and not from the route table, which it is there to prove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

U = "tkopsunknown000"  #: an id that no record has
READS = ("GET", "HEAD")
ALL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TINYKIT, POCKETBASE = 3000, 8091


@dataclass(frozen=True)
class Case:
    """One kind of request.

    Attributes:
        kind: `published`, `builder`, `admin`, `answered`, `never`, or `unlisted` (it belongs to the
            published app, and on the builder's own origin it is a file that its pages need).
        page: a person opens it in a browser; else it is a call.
        door: a way in, which cannot ask for the account that it is there to prove.
        port: which server answers, when it is passed on.
        arrives: the request target there.
        says: the body, when the edge answers itself.
        writes: published data; asks for the site's own Origin.
        slow: counted as a login; at most 1000 a minute and address are allowed.
    """

    method: str
    path: str
    kind: str
    page: bool = False
    door: bool = False
    port: int = TINYKIT
    arrives: str = ""
    says: str = ""
    writes: bool = False
    slow: bool = False

    @property
    def target(self) -> str:
        """The request target at the server behind."""
        return self.arrives or self.path


def cases() -> tuple[Case, ...]:
    """Every route of tinykit and PocketBase with every class of method."""
    return (
        *_published(),
        *_never(),
        *_answered(),
        *_builder(),
        *_pocketbase(),
        *_administration(),
    )


def _several(
    methods: tuple[str, ...], paths: tuple[str, ...], kind: str, **more: bool
) -> Iterator[Case]:
    for path in paths:
        for method in methods:
            yield Case(method, path, kind, **more)


def _published() -> Iterator[Case]:
    yield from _several(("GET", "HEAD", "POST"), ("/", f"/{U}/page"), "unlisted")
    yield from _several(READS, ("/_app/version.json", "/_app/immutable/x.js", "/x.png"), "unlisted")
    yield from _several(
        ("GET", "HEAD", "OPTIONS"), (f"/_tk/data/{U}/tkops", f"/_tk/data/{U}/tkops/x1"), "published"
    )
    yield from _several(
        ("POST", "PUT", "PATCH", "DELETE"),
        (f"/_tk/data/{U}/tkops", f"/_tk/data/{U}/tkops/x1"),
        "published",
        writes=True,
    )
    yield from _several(("GET", "HEAD", "POST"), (f"/_tk/realtime/{U}",), "published")
    yield from _several(READS, ("/.well-known/x",), "published")
    assets = ("/_tk/assets/placeholder.jpg", f"/_tk/assets/{U}/placeholder.jpg")
    yield from _several(READS, assets, "published")
    yield from _several(("GET", "HEAD", "OPTIONS"), ("/api/proxy",), "published")


def _never() -> Iterator[Case]:
    yield from _several(ALL, ("/setup",), "never")
    yield from _several(("GET", "POST"), ("/setup/", "/setup/x", "/setup/__data.json"), "never")
    yield from _several(("POST", "PUT", "PATCH", "DELETE", "OPTIONS"), ("/api/setup",), "never")
    yield from _several(("GET", "POST"), ("/api/setup/x",), "never")
    yield from _several(ALL, ("/api/migrate-build-fields",), "never")
    yield from _several(("POST",), ("/api/migrate-build-fields/x",), "never")
    files = ("/.env", "/.git/config", "/.setup_complete", "/pb_data/data.db", "/pocketbase/pb_data")
    yield from _several(READS, files, "never")
    hooks = tuple(f"/_pb/api/tinykit-ops/{name}" for name in ("judge", "limit/writes", "tls-ask"))
    yield from _several(("GET", "HEAD"), ("/_pb/api/tinykit-ops", *hooks), "never")
    yield from _several(("POST",), ("/_pb/api/tinykit-ops/snapshot",), "never")
    for name in ("__proto__", "constructor", "prototype"):
        polluting = (f"/_tk/data/{U}/{name}", f"/_tk/data/{U}/{name}/x1")
        yield from _several(("GET", "HEAD", "POST", "PATCH", "DELETE"), polluting, "never")


def _answered() -> Iterator[Case]:
    for method in READS:
        yield Case(method, "/api/setup", "answered", says='{"needs_setup":false}')
    path = "/api/auth/save-server-credentials"
    yield Case("POST", path, "answered", says='{"ok":true,"saved":false}')


def _builder() -> Iterator[Case]:
    yield from _several(READS, ("/login",), "builder", page=True, door=True)
    yield from _several(("POST", "PUT", "OPTIONS"), ("/login",), "builder", page=True)
    pages = ("/tinykit", "/tinykit/", f"/tinykit/{U}", "/tinykit/studio", "/tinykit/settings")
    yield from _several(READS, (*pages, "/tinykit/new", "/tinykit/new-kit"), "builder", page=True)
    yield from _several(ALL, ("/tinykit/studio?id=x",), "builder", page=True)
    yield from _several(
        READS, (f"/tinykit/preview/{U}", f"/tinykit/preview/{U}/a/b"), "builder", page=True
    )
    yield from _several(READS, ("/tinykit/__data.json", "/tinykit/studio/__data.json"), "builder")
    yield from _several(ALL, (f"/api/projects/{U}/export",), "builder")
    yield from _several(("GET", "POST"), ("/api/settings/validate-llm",), "builder")
    yield from _several(READS, ("/api", f"/api/templates/{U}", "/api/templates"), "builder")
    lists = ("/api/projects", "/api/settings", "/api/settings/llm-status", "/api/domains")
    yield from _several(("GET", "HEAD", "OPTIONS"), lists, "builder")
    yield from _several(("GET",), ("/api/agent/test", f"/api/{U}", f"/api/{U}/x/y"), "builder")
    yield from _several(("POST",), (f"/api/projects/{U}/build", "/api/agent/clear"), "builder")
    # No DELETE: tinykit's server dies of a refused update, for which an unknown id is enough.
    yield from _several(("GET", "PUT"), (f"/api/projects/{U}/agent",), "builder")
    yield from _several(("POST",), (f"/api/projects/{U}/templates",), "builder")
    yield from _several(("POST", "PUT", "DELETE"), ("/api/proxy",), "builder")
    yield from _several(("GET", "PUT"), ("/api/auth/save-server-credentials",), "builder")


def _behind(method: str, path: str, kind: str, arrives: str = "", **more: bool) -> Case:
    """A request for PocketBase: it arrives there without the prefix."""
    return Case(
        method, path, kind, port=POCKETBASE, arrives=arrives or path.removeprefix("/_pb"), **more
    )


def _pocketbase() -> Iterator[Case]:
    api = "/_pb/api"
    for name in ("auth-with-password", "auth-refresh"):
        path = f"{api}/collections/users/{name}"
        yield _behind("POST", path, "builder", door=True, slow=name == "auth-with-password")
        yield _behind("GET", path, "admin")
    records = f"{api}/collections/_tk_projects/records"
    for method in READS:
        yield _behind(method, f"{api}/collections/users/records", "builder")
        yield _behind(method, records, "builder")
        yield _behind(method, f"{api}/health", "builder")
    for method in ("GET", "PATCH", "DELETE"):
        yield _behind(method, f"{records}/{U}", "builder")
    yield _behind("POST", f"{api}/collections/{U}/records", "builder")
    yield _behind("GET", f"{api}/files/_tk_projects/{U}/x.png", "builder")
    yield _behind("GET", f"{api}/realtime", "builder")
    yield _behind("POST", f"{api}/batch", "admin")
    yield _behind("GET", f"{api}/{U}", "builder")
    yield _behind("GET", f"{api}/health?x=%2e%2e%2f//y", "builder")  # a query is nobody's path


def _administration() -> Iterator[Case]:
    for method in ("GET", "HEAD", "POST"):
        yield _behind(method, "/_pb/_/", "admin", page=True)
    yield _behind("GET", "/_pb/_/x", "admin", page=True)
    for folder in ("libs", "images", "assets", "fonts"):
        path = f"/_pb/{folder}/{U}.js"
        yield _behind("GET", path, "admin", arrives=f"/_/{folder}/{U}.js")
    yield _behind("GET", "/_pb/", "admin", arrives="/")
    yield _behind("GET", f"/_pb/{U}", "admin")
    api = "/_pb/api"
    for name in (
        "_superusers",
        "pbc_3142635823",
        "_externalAuths",
        "_mfas",
        "_otps",
        "_authOrigins",
    ):
        yield _behind("GET", f"{api}/collections/{name}/records", "admin", slow=True)
    superusers = f"{api}/collections/_superusers"
    yield _behind("POST", f"{superusers}/auth-with-password", "admin", slow=True)
    yield _behind("GET", f"{superusers}/auth-methods", "admin", slow=True)
    yield _behind("PATCH", f"{superusers}/records/{U}", "admin", slow=True)
    for name in ("settings", "backups", "logs", "logs/stats", "crons", "collections"):
        for method in READS:
            yield _behind(method, f"{api}/{name}", "admin")
    yield _behind("POST", f"{api}/settings/test/{U}", "admin")
    yield _behind("DELETE", f"{api}/backups/{U}", "admin")
    yield _behind("POST", f"{api}/backups/{U}/restore", "admin")
    yield _behind("POST", f"{api}/crons/{U}", "admin")
    yield _behind("POST", f"{api}/sql", "admin")
    yield _behind("GET", f"{api}/collections/users", "admin")
    yield _behind("DELETE", f"{api}/collections/{U}", "admin")
    yield _behind("GET", f"{api}/collections/users/auth-methods", "admin")
    yield _behind("POST", f"{api}/collections/users/request-password-reset", "admin")
