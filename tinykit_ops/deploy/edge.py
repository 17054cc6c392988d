"""What each proxy consists of on a host: its files, its unit, the check of its configuration."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.deploy.tls import caddy_tls_files, nginx_tls_files
from tinykit_ops.edge.caddy import caddyfile
from tinykit_ops.edge.nginx import nginx_conf
from tinykit_ops.ops.tree import Absent, Entry, File, Folder
from tinykit_ops.settings import Settings

PORTS = (80, 443)
CADDY_UNIT_FILE = f"/etc/systemd/system/{layout.CADDY_UNIT}"
NGINX_UNIT_FILE = f"/etc/systemd/system/{layout.NGINX_UNIT}"
NGINX_LOGROTATE = "/etc/logrotate.d/tinykit-ops-nginx"
_HOOK_TOKEN_FILE = f"{layout.SECRETS_DIR}/{layout.HOOK_TOKEN}"

#: What has to go when the other proxy has taken over. Certificates that were issued stay in
#: `layout.CADDY_STATE`, so that going back asks nobody for new ones.
CADDY_LEFTOVERS = (CADDY_UNIT_FILE, "/etc/caddy")
NGINX_LEFTOVERS = (
    *(NGINX_UNIT_FILE, layout.NGINX_CONFIG, layout.NGINX_PREPARE, layout.NGINX_TLS),
    *(NGINX_LOGROTATE, layout.EDGE_CRON_FILE),
)
#: What a program has to be restarted for when it changes, and what it takes by a reload.
CADDY_RESTARTS = (CADDY_UNIT_FILE, f"{layout.CADDY_HOME}/current", _HOOK_TOKEN_FILE)
CADDY_RELOADS = (layout.CADDY_CONFIG, "/etc/caddy/tls")
NGINX_RESTARTS = (NGINX_UNIT_FILE, _HOOK_TOKEN_FILE)
NGINX_RELOADS = (layout.NGINX_CONFIG, layout.NGINX_PREPARE, layout.NGINX_TLS)

# As its own user, so that checking leaves no file of root's behind; from a folder that it may
# enter, or its `import` fails.
_CHECK_CADDYFILE = (
    f"cd / && runuser -u {layout.CADDY_USER} -- "
    f"{layout.CADDY_BINARY} adapt --adapter caddyfile --config - >/dev/null"
)
# nginx reads files only, and tries to bind the ports that it is told to.
_CHECK_NGINX_CONF = (
    f"setpriv --reuid={layout.NGINX_USER} --regid={layout.NGINX_USER} --init-groups "
    "--inh-caps=+net_bind_service --ambient-caps=+net_bind_service -- sh -c "
    + shlex.quote(
        'd=$(mktemp -d) && trap "rm -rf $d" EXIT && cat >"$d/conf" && '
        f'{layout.NGINX_BINARY} -t -q -c "$d/conf" -e stderr -g "pid $d/pid;"'
    )
)


def caddy_entries(settings: Settings) -> Iterator[Entry]:
    """Caddy's folders, certificates, configuration and unit."""
    owned = {"user": layout.CADDY_USER, "group": layout.CADDY_USER}
    yield Folder(layout.CADDY_STATE, mode="700", **owned)
    yield Folder(layout.CADDY_LOGS, mode="750", **owned)
    yield Folder("/etc/caddy")
    yield from caddy_tls_files(settings)
    yield File(layout.CADDY_CONFIG, caddyfile(settings), check=_CHECK_CADDYFILE)
    yield File(CADDY_UNIT_FILE, render("systemd/caddy.service.j2"))


def nginx_unit() -> File:
    """nginx's unit; there before the package, whose own would serve a welcome page to the world."""
    return File(NGINX_UNIT_FILE, render("systemd/nginx.service.j2"))


def nginx_surroundings(settings: Settings) -> Iterator[Entry]:
    """All that nginx's configuration needs to be there before it can be checked."""
    owned = {"user": layout.NGINX_USER}
    yield nginx_unit()
    yield Folder(layout.NGINX_LOGS, mode="750", group="adm", **owned)
    yield Folder(layout.NGINX_TEMP, mode="700", group=layout.NGINX_USER, **owned)
    yield Folder(layout.ACME_WEBROOT)
    yield from nginx_tls_files(settings)
    yield File(layout.NGINX_PREPARE, render("nginx/prepare.sh.j2"), mode="755")
    yield File(NGINX_LOGROTATE, render("nginx/logrotate.j2"))
    if settings.edge.tls.mode == "internal":
        yield File(layout.EDGE_CRON_FILE, render("nginx/cron.j2"))
    else:
        yield Absent(layout.EDGE_CRON_FILE)


def nginx_configuration(settings: Settings, *, ipv6: bool) -> File:
    """nginx's configuration, which nginx itself reads before it is used."""
    return File(layout.NGINX_CONFIG, nginx_conf(settings, ipv6=ipv6), check=_CHECK_NGINX_CONF)
