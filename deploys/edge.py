"""The edge: Caddy, rendered from the route table, checked by Caddy itself before it is used."""

from tinykit_ops import layout
from tinykit_ops.deploy import instance
from tinykit_ops.deploy.templates import render
from tinykit_ops.deploy.tls import tls_files
from tinykit_ops.edge.caddy import caddyfile
from tinykit_ops.ops.tree import File, Folder, tree
from tinykit_ops.ops.units import unit

UNIT_FILE = f"/etc/systemd/system/{layout.CADDY_UNIT}"
OWNED = {"user": layout.CADDY_USER, "group": layout.CADDY_USER}
# As its own user, so that checking leaves no file of root's behind.
VALIDATE = (
    f"runuser -u {layout.CADDY_USER} -- "
    f"{layout.CADDY_BINARY} adapt --adapter caddyfile --config - >/dev/null"
)

settings = instance.settings()

written = tree(
    name="Write Caddy's folders, configuration and unit",
    entries=[
        Folder(layout.CADDY_STATE, mode="700", **OWNED),
        Folder(layout.CADDY_LOGS, mode="750", **OWNED),
        Folder("/etc/caddy"),
        *tls_files(settings),
        File(layout.CADDY_CONFIG, caddyfile(settings), check=VALIDATE),
        File(UNIT_FILE, render("systemd/caddy.service.j2")),
    ],
)
unit(
    name="Restart Caddy when the program or its unit changed",
    unit=layout.CADDY_UNIT,
    files=[
        UNIT_FILE,
        f"{layout.CADDY_HOME}/current",
        f"{layout.SECRETS_DIR}/{layout.HOOK_TOKEN}",
    ],
    after=[written],
)
unit(
    name="Reload Caddy when its configuration changed",
    unit=layout.CADDY_UNIT,
    files=[layout.CADDY_CONFIG, "/etc/caddy/tls"],
    reload=True,
    after=[written],
)
