"""PocketBase behind `/_pb/`: its administration is nobody's business."""

from __future__ import annotations

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.gate import closed_to_strangers, routes_of
from tinykit_ops.checks.model import Area, Remedy, Severity, Vantage, Verdict
from tinykit_ops.checks.registry import check
from tinykit_ops.edge.routes import RouteClass


@check(
    id="proxy.dashboard-gated",
    title="PocketBase's dashboard and superuser API are closed to strangers",
    area=Area.PROXY,
    severity=Severity.HIGH,
    looks_from=Vantage.OUTSIDER,
    checklist="Protect the builder; PocketBase behind /_pb/",
    remedy=Remedy(
        caddy="@admin path /_pb/_/* /_pb/api/collections/_superusers/* /_pb/api/settings* "
        "/_pb/api/backups* /_pb/api/logs* /_pb/api/crons* /_pb/api/sql*\nhandle @admin {\n"
        "\t@stranger not remote_ip 203.0.113.7\n\trespond @stranger 403\n"
        "\treverse_proxy 127.0.0.1:3000\n}",
        nginx="location ~* ^/_pb/(_|api/(settings|backups|logs|crons|sql|"
        "collections/_superusers))(/|$) {\n    allow 203.0.113.7;\n    deny all;\n"
        "    proxy_pass http://127.0.0.1:3000;\n}",
        by_hand="Let only named addresses reach /_pb/_/ and the superuser API (`access.admin` in "
        "the inventory), or use the dashboard through an SSH tunnel: "
        "`ssh -L 8091:127.0.0.1:8091 HOST`.",
    ),
)
def dashboard_is_gated(look: Context) -> Verdict:
    """Asks for the dashboard and one resource of every part of the superuser API."""
    gate = look.settings.access.admin if look.settings else None
    return closed_to_strangers(look, routes_of(RouteClass.ADMIN), gate)
