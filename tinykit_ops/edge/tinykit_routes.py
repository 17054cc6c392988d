"""The rows of the route table that tinykit answers.

Seen on tinykit at commit 617db34; the order within and between the functions matters.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinykit_ops.edge.probe import UNKNOWN_ID, Probe, get, is_page_shell, post_nothing, says
from tinykit_ops.edge.route import EdgeAnswer, Limit, Route, RouteClass

#: The cookie that the judge (templates/pocketbase/hooks/tinykit_ops/judge.js) sets at login.
LOGIN_COOKIE = "__Host-tinykit_ops"

#: For bytes of unknown origin on an origin of ours: shown alone, they may run nothing.
FOREIGN = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"),
)

#: Names that every JavaScript object has. As a collection's name `__proto__` changes all objects of
#: tinykit's process, and the others a function of theirs: what is written there is in no database,
#: fills the memory, and shows up in every other project. Lower case, as the table is.
POLLUTERS = (
    *("__proto__", "constructor", "prototype", "tostring", "tolocalestring", "valueof"),
    *("hasownproperty", "isprototypeof", "propertyisenumerable"),
    *("__definegetter__", "__definesetter__", "__lookupgetter__", "__lookupsetter__"),
)

#: An app of the builder's own, opened by itself: what tinykit's iframes allow it, and no more. An
#: origin of its own would be better, and would cut the app off from its data.
PREVIEWED = (
    ("X-Content-Type-Options", "nosniff"),
    (
        "Content-Security-Policy",
        "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads "
        "allow-same-origin; frame-ancestors 'self'",
    ),
)


def setup_routes() -> Iterator[Route]:
    """Claiming a server: done by the deploy, closed for everybody else."""
    yield Route(
        "setup-status",
        ("/api/setup",),
        RouteClass.ANSWERED,
        methods=("GET", "HEAD"),
        answer=EdgeAnswer(200, '{"needs_setup":false}', forgets=LOGIN_COOKIE),
        # Signing out only forgets the token in the page and shows the login page, which asks
        # this first: from then on the cookie must not open preview and export any more.
        note="The login page asks; tinykit's own answer would invite a claim.",
        probe=Probe(
            "GET",
            "/api/setup",
            opens=lambda r: r.status == 200 and '"needs_setup":true' in r.text.replace(" ", ""),
            closes=lambda r: r.status == 200 and '"needs_setup":false' in r.text.replace(" ", ""),
        ),
    )
    yield Route(
        "setup-claim",
        ("/api/setup", "/api/setup/*"),
        RouteClass.NEVER,
        note="Whoever posts here first owns the server, and it may stay open for ever.",
        probe=post_nothing(
            "/api/setup", says(400, "Email and password are required", "Setup already completed")
        ),
    )
    yield Route(
        "setup-page",
        ("/setup", "/setup/*"),
        RouteClass.NEVER,
        note="The deploy claims the instance; nobody needs the page.",
        probe=get("/setup", is_page_shell),
    )
    yield Route(
        "save-credentials",
        ("/api/auth/save-server-credentials",),
        RouteClass.ANSWERED,
        methods=("POST",),
        answer=EdgeAnswer(200, '{"ok":true,"saved":false}'),
        note="An oracle for the superuser's password, called at every login and not waited for.",
        probe=Probe(
            "POST",
            "/api/auth/save-server-credentials",
            opens=says(400, "Email and password required"),
            closes=says(200, '"saved":false'),
            headers={"content-type": "application/json"},
            body="{}",
        ),
    )
    yield Route(
        "migrate",
        ("/api/migrate-build-fields", "/api/migrate-build-fields/*"),
        RouteClass.NEVER,
        note="Changes the schema as superuser for anybody who asks.",
        probe=get("/api/migrate-build-fields", says(405, "GET method not allowed")),
    )


def file_routes() -> Iterator[Route]:
    """Files that servers have been found to hand out by mistake."""
    yield Route(
        "well-known",
        ("/.well-known", "/.well-known/*"),
        RouteClass.PUBLISHED,
        note="The one name with a dot that is meant for the world (RFC 8615).",
    )
    yield Route(
        "private-files",
        ("/.*", "/pb_data", "/pb_data/*", "/pocketbase/pb_data", "/pocketbase/pb_data/*"),
        RouteClass.NEVER,
        note="Dot files and PocketBase's data; tinykit serves none of them, and must not begin to.",
    )


def builder_routes() -> Iterator[Route]:
    """The builder's pages and API."""
    yield Route(
        "login-page",
        ("/login", "/login/*"),
        RouteClass.BUILDER,
        methods=("GET", "HEAD"),
        door=True,
        page=True,
        note="Where an account is proven; the page itself holds nothing.",
        probe=get("/login", is_page_shell),
    )
    yield Route(
        "login-page-rest",
        ("/login", "/login/*"),
        RouteClass.BUILDER,
        page=True,
        note="The page takes no forms; no method of it belongs to the published app.",
    )
    yield Route(
        "preview",
        ("/tinykit/preview/*",),
        RouteClass.BUILDER,
        page=True,
        headers=PREVIEWED,
        note="Any project's app or its name and domain, by id, with no guard of its own.",
        probe=get(f"/tinykit/preview/{UNKNOWN_ID}", says(404, "Project not found")),
    )
    yield Route(
        "builder-data",
        ("/tinykit/*/__data.json", "/tinykit/__data.json"),
        RouteClass.BUILDER,
        note="What SvelteKit's pages load; reachable without the page.",
        probe=get("/tinykit/studio/__data.json", says(200, '{"type":"data"')),
    )
    yield Route(
        "builder-pages",
        ("/tinykit", "/tinykit/*"),
        RouteClass.BUILDER,
        page=True,
        note="Page shells; tinykit's own guard runs in the visitor's browser.",
        probe=get("/tinykit", is_page_shell),
    )
    yield Route(
        "export",
        ("/api/projects/*/export",),
        RouteClass.BUILDER,
        methods=("GET", "HEAD"),
        note="Source and data of a project; the builder's button sends no Authorization header.",
        probe=get(f"/api/projects/{UNKNOWN_ID}/export", says(404, "Project not found")),
    )
    yield Route(
        "validate-llm",
        ("/api/settings/validate-llm",),
        RouteClass.BUILDER,
        note="Requests any base_url; open while guests may list users.",
        probe=post_nothing(
            "/api/settings/validate-llm",
            lambda r: (
                r.status in {400, 401}
                and ("Missing provider or api_key" in r.text or '"error":"Unauthorized"' in r.text)
            ),
        ),
    )
    yield Route(
        "template",
        ("/api/templates/*",),
        RouteClass.BUILDER,
        probe=get(f"/api/templates/{UNKNOWN_ID}", says(404, "Template not found")),
    )
    yield Route(
        "proxy",
        ("/api/proxy",),
        RouteClass.PUBLISHED,
        methods=("GET", "HEAD", "OPTIONS"),
        limit=Limit.PROXIED,
        headers=FOREIGN,
        attaches=True,
        note="Published apps use it: sandbox and nosniff its answers, limit it, contain egress.",
        probe=get("/api/proxy", says(400, "Missing url parameter")),
    )
    yield Route(
        "builder-api",
        ("/api", "/api/*"),
        RouteClass.BUILDER,
        note="tinykit asks for a token on most of these; the gate is before all of them.",
        probe=get("/api/projects", says(401, "Authentication required", '"error":"Unauthorized"')),
    )


def published_routes() -> Iterator[Route]:
    """What published apps ask for."""
    yield Route(
        "data-pollution",
        tuple(f"/_tk/data/*/{name}{rest}" for name in POLLUTERS for rest in ("", "/*")),
        RouteClass.NEVER,
        note="As a collection's name these change objects and functions of the whole process.",
    )
    yield Route(
        "data-write",
        ("/_tk/data/*",),
        RouteClass.PUBLISHED,
        methods=("POST", "PUT", "PATCH", "DELETE"),
        limit=Limit.WRITES,
        exact_origin=True,
        note="tinykit itself takes any Origin that begins like the site's, and none at all.",
    )
    yield Route(
        "data",
        ("/_tk/data/*",),
        RouteClass.PUBLISHED,
        note="Data of published apps, which is public.",
        probe=get(f"/_tk/data/{UNKNOWN_ID}/tkops", says(404, "Project not found")),
    )
    yield Route(
        "realtime",
        ("/_tk/realtime/*",),
        RouteClass.PUBLISHED,
        limit=Limit.STREAMS,
        note="Server-sent events: no buffering, and a limit of connections.",
        probe=get(f"/_tk/realtime/{UNKNOWN_ID}", says(404, "Project not found")),
    )
    yield Route(
        "assets",
        ("/_tk/assets/*",),
        RouteClass.PUBLISHED,
        headers=FOREIGN,
        attaches=True,
        note="Uploads in their own type: nosniff, sandbox, attachment for HTML and SVG.",
        probe=get("/_tk/assets/placeholder.jpg", says(200, "<svg")),
    )
