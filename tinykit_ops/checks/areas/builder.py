"""The builder: nobody claims the server, and nobody reaches what edits apps without a pass."""

from __future__ import annotations

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.gate import closed_to_all, closed_to_strangers, no_trick_leads_in, routes_of
from tinykit_ops.checks.model import Area, Remedy, Severity, Vantage, Verdict
from tinykit_ops.checks.registry import check
from tinykit_ops.edge.routes import RouteClass, route_named

_LINE = "Protect the builder"
_SETUP = ("setup-status", "setup-claim", "setup-page")


@check(
    id="builder.setup-closed",
    title="Nobody can claim the server through the setup page",
    area=Area.BUILDER,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="@setup path /setup /setup/* /api/setup /api/setup/*\nhandle @setup {\n"
        '\t@status method GET\n\trespond @status `{"needs_setup":false}` 200\n\trespond 404\n}',
        nginx="location = /api/setup {\n    default_type application/json;\n"
        "    if ($request_method != GET) { return 404; }\n    return 200 '{\"needs_setup\":false}';"
        "\n}\nlocation ^~ /setup { return 404; }",
        by_hand="Finish the setup at once, and close /setup and POST /api/setup in the reverse "
        "proxy; an instance that is configured by environment never closes them itself.",
    ),
)
def setup_is_closed(look: Context) -> Verdict:
    """Asks whether setup is needed, and posts an empty claim, which tinykit refuses."""
    return closed_to_all(look, [route_named(name) for name in _SETUP])


@check(
    id="builder.gated",
    title="The builder's pages and API are closed to strangers",
    area=Area.BUILDER,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="@builder path /tinykit /tinykit/* /api/* /_pb/api/*\nhandle @builder {\n"
        "\t@stranger not remote_ip 203.0.113.7 2001:db8::/48\n\trespond @stranger 403\n"
        "\treverse_proxy 127.0.0.1:3000\n}",
        nginx="location ~* ^/(tinykit|api|_pb)(/|$) {\n    allow 203.0.113.7;\n"
        "    allow 2001:db8::/48;\n    deny all;\n    proxy_pass http://127.0.0.1:3000;\n}",
        by_hand="Put the builder behind a gate in the reverse proxy: an address allowlist, or "
        "accounts (`access.builder` in the inventory). tinykit's own guard runs in the visitor's "
        "browser only. Leave /api/proxy and /_tk/ open: published apps use them.",
    ),
)
def builder_is_gated(look: Context) -> Verdict:
    """Asks for one page or record behind every row of the builder, with no pass."""
    gate = look.settings.access.builder if look.settings else None
    return closed_to_strangers(look, routes_of(RouteClass.BUILDER), gate)


@check(
    id="builder.no-way-around",
    title="No other spelling of its address leads around the builder's gate",
    area=Area.BUILDER,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="Use `path` matchers (they compare the decoded, cleaned path), never `path_regexp`.",
        nginx="Match with `location` (it compares the decoded, cleaned path), not with "
        "$request_uri, keep `merge_slashes on`, and refuse backslashes: "
        "`if ($request_uri ~ \\\\) { return 400; }`.",
        by_hand="Compare the path after decoding and cleaning it, as tinykit does.",
    ),
)
def no_spelling_leads_around_the_gate(look: Context) -> Verdict:
    """Asks for the builder in spellings that tinykit reads as /tinykit and a filter may not."""
    gate = look.settings.access.builder if look.settings else None
    tricks = ("/%74inykit", "//tinykit", "/x/../tinykit", "/x\\..\\tinykit", "/x/%2e%2e/tinykit")
    return no_trick_leads_in(look, tricks, gate)


@check(
    id="builder.dangerous-routes-closed",
    title="Routes that act as superuser for anybody are closed",
    area=Area.BUILDER,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="respond /api/migrate-build-fields 404\n"
        'respond /api/auth/save-server-credentials `{"ok":true,"saved":false}` 200',
        nginx="location = /api/migrate-build-fields { return 404; }\n"
        "location = /api/auth/save-server-credentials {\n"
        "    default_type application/json;\n"
        '    return 200 \'{"ok":true,"saved":false}\';\n}',
        by_hand="Close POST /api/migrate-build-fields and /api/auth/save-server-credentials in "
        "the reverse proxy: they ask for no token.",
    ),
)
def dangerous_routes_are_closed(look: Context) -> Verdict:
    """Asks for them in ways that they refuse without doing anything."""
    routes = routes_of(RouteClass.NEVER, RouteClass.ANSWERED)
    return closed_to_all(look, [route for route in routes if route.name not in _SETUP])
