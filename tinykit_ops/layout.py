"""Where everything lives on a host: paths, users, ports and unit names, in one place.

Deploys, templates, checks and backups all take these from here (templates as the variable
`layout`), so that a path is never written twice.
"""

from __future__ import annotations

# The agent: tinykit-ops itself, installed on the host.
AGENT_HOME = "/opt/tinykit-ops"
AGENT_VENV = f"{AGENT_HOME}/current"  #: link to the virtual environment in use
AGENT_COMMAND = "/usr/local/bin/tinykit-ops"
CONFIG_DIR = "/etc/tinykit-ops"
CONFIG_FILE = f"{CONFIG_DIR}/config.json"  #: what the agent knows of the settings; no secrets
SECRETS_DIR = f"{CONFIG_DIR}/secrets"  #: root's, 0700; one secret a file, 0600
INSTANCES_DIR = f"{CONFIG_DIR}/instances"  #: on a verifier: a folder each, with its own secrets
VERIFIER_FILE = f"{CONFIG_DIR}/verifier.json"  #: on a verifier: the names of these folders
STATE_DIR = "/var/lib/tinykit-ops"  #: what runs leave behind: results, locks, history
MOVED_FILE = f"{STATE_DIR}/moved"  #: the host that this instance moves, or has moved, to
ARRIVING_FILE = f"{STATE_DIR}/arriving.json"  #: the host that this instance comes from
LOCK_DIR = "/run/tinykit-ops"
#: Held by what changes the host for minutes: a run whose controller died may still be at it.
DEPLOY_LOCK = f"{LOCK_DIR}/deploy"
#: Held by a controller over its whole run, or by a command that changes the instance.
RUN_LOCK = f"{LOCK_DIR}/run"
ROTATING_DIR = f"{LOCK_DIR}/rotating"  #: root's, 0700: old values until they are proven gone
AUDIT_DIR = "/var/log/tinykit-ops"  #: root's, 0700
AUDIT_LOG = f"{AUDIT_DIR}/audit.jsonl"  #: who changed what, when; and `.1`, the lines before
AUDIT_BYTES = 1_000_000  #: a longer file becomes the one before
AUDIT_LOCK = f"{LOCK_DIR}/audit"
STARTED_DIR = f"{LOCK_DIR}/started"  #: UNIT, touched at every start or reload of a unit

# Names of files under SECRETS_DIR.
SUPERUSER_PASSWORD = "superuser-password"  # noqa: S105
#: While the superuser's password is rotated: what it becomes, and what it was.
SUPERUSER_PASSWORD_NEXT = "superuser-password.next"  # noqa: S105
SUPERUSER_PASSWORD_BEFORE = "superuser-password.before"  # noqa: S105
ADMIN_PASSWORD = "admin-password"  # noqa: S105
HOOK_TOKEN = "hook-token"  # noqa: S105
BASIC_PASSWORD = "access-basic-password"  # noqa: S105  # of the proof `basic`
BASIC_COOKIE = "basic-cookie"  #: what a browser is given that brought it
LLM_API_KEY = "llm-api-key"
VERIFY_IDENTITY = "backup-verify-identity"  #: private age keys, where snapshots are verified
DEDUP_KEY = "backup-dedup-key"  #: names of stored uploads are keyed with it

# PocketBase.
POCKETBASE_USER = "pocketbase"
POCKETBASE_HOME = "/opt/pocketbase"  #: one folder a version, and `current`
POCKETBASE_BINARY = f"{POCKETBASE_HOME}/current/pocketbase"
POCKETBASE_COMMAND = "/usr/local/bin/pocketbase"  #: a wrapper that knows the directories
POCKETBASE_HOOKS = f"{POCKETBASE_HOME}/hooks"
POCKETBASE_STATE = "/var/lib/pocketbase"
POCKETBASE_DATA = f"{POCKETBASE_STATE}/pb_data"
POCKETBASE_SNAPSHOTS = f"{POCKETBASE_STATE}/snapshots"  #: where the hook writes VACUUM INTO
POCKETBASE_TLS_NAMES = f"{POCKETBASE_STATE}/tls-names.json"  #: names granted by TLS_ASK_ROUTE
#: While it is there, PocketBase's hooks refuse writes: the instance moves, or has moved.
POCKETBASE_MOVED = f"{POCKETBASE_STATE}/moved"
POCKETBASE_PUBLIC = f"{POCKETBASE_HOME}/public"  #: empty on purpose
POCKETBASE_PORT = 8091  #: hard-coded in tinykit
POCKETBASE_URL = f"http://127.0.0.1:{POCKETBASE_PORT}"
POCKETBASE_UNIT = "pocketbase.service"
#: Root's, 0700: snapshots from before its upgrades, and how far an upgrade came.
POCKETBASE_UPGRADES = f"{STATE_DIR}/pocketbase-upgrades"
#: Stops the old version and starts the new one; a controller that goes away does not end it.
POCKETBASE_SWITCH_UNIT = "tinykit-ops-pocketbase-switch.service"
#: There for one start: the superuser is as it should be, and nobody is served meanwhile.
POCKETBASE_SUPERUSER_KNOWN = f"{LOCK_DIR}/superuser-known"

#: Our hook's route that the edge asks whether a caller may pass.
JUDGE_ROUTE = "/api/tinykit-ops/judge"
LIMIT_ROUTE = "/api/tinykit-ops/limit"  #: LIMIT_ROUTE/NAME: 204, or PocketBase's own 429
TLS_ASK_ROUTE = "/api/tinykit-ops/tls-ask"  #: ?domain=NAME: 200 for a published project's

#: Root's, 0700: what an install made by hand was, so that it can come back.
ADOPTED_DIR = f"{STATE_DIR}/adopted"
#: Goes back by itself when a conversion is not finished in time.
ADOPT_BACK_UNIT = "tinykit-ops-adopt-back"

# tinykit.
TINYKIT_USER = "tinykit"
TINYKIT_HOME = "/opt/tinykit"
TINYKIT_RELEASES = f"{TINYKIT_HOME}/releases"
TINYKIT_CURRENT = f"{TINYKIT_HOME}/current"
#: Link to PocketBase's migrations, a folder a content: only other ones restart PocketBase.
TINYKIT_MIGRATIONS = f"{TINYKIT_HOME}/migrations/current"
TINYKIT_MARKER = "pocketbase/pb_data/.setup_complete"  #: relative to a release
TINYKIT_CONFIG_DIR = "/etc/tinykit"
TINYKIT_ENVIRONMENT = f"{TINYKIT_CONFIG_DIR}/environment"  #: root's, 0600
TINYKIT_PORT = 3000
TINYKIT_URL = f"http://127.0.0.1:{TINYKIT_PORT}"
TINYKIT_UNIT = "tinykit.service"
#: Serves in the place of TINYKIT_UNIT while that one is replaced, and runs at no other time.
TINYKIT_STANDBY_UNIT = "tinykit-standby.service"
TINYKIT_STANDBY_PORT = 3001
TINYKIT_STANDBY = f"{TINYKIT_HOME}/standby"  #: link to the release that it runs
#: While this file is there, the edge sends visitors to the standby. Gone after a reboot, as the
#: standby is.
TINYKIT_STANDBY_SERVES = f"{LOCK_DIR}/standby-serves"

# The edge.
CADDY_USER = "caddy"
CADDY_HOME = "/opt/caddy"
CADDY_BINARY = f"{CADDY_HOME}/current/caddy"
CADDY_CONFIG = "/etc/caddy/Caddyfile"
CADDY_STATE = "/var/lib/caddy"
CADDY_LOGS = "/var/log/caddy"
CADDY_UNIT = "caddy.service"
CADDY_ASK_PORT = 8092  #: on loopback, Caddy's own: adds the hooks' secret to its own question
#: CDN_NETWORKS as Caddy reads them; root writes it, so it lies in no folder of Caddy's.
CADDY_CDN = f"{LOCK_DIR}/cdn.caddyfile"

NGINX_USER = "www-data"
NGINX_BINARY = "/usr/sbin/nginx"
NGINX_CONFIG = "/etc/nginx/tinykit-ops.conf"
NGINX_LOGS = "/var/log/nginx/tinykit"  #: nginx's own; it runs without root and opens its log itself
NGINX_UNIT = "nginx.service"
NGINX_PREPARE = "/etc/nginx/tinykit-ops-prepare"  #: what the unit runs before it starts or reloads
NGINX_RUN = "/run/nginx"  #: the judge's secret and the CDN's networks, as nginx reads them
NGINX_TEMP = "/var/lib/nginx/tinykit"  #: uploads that are still coming in
NGINX_TLS = "/etc/nginx/tinykit-tls"  #: NAME.pem and NAME.key; the keys are for root and nginx
#: Authority of the TLS mode `internal` with nginx: `root.pem` is what visitors may trust.
EDGE_CA = "/var/lib/tinykit-ops/edge-ca"
ACME_WEBROOT = "/var/lib/tinykit-ops/acme"  #: served under /.well-known/acme-challenge/
ACME_DIRECTORY_CA = f"{CONFIG_DIR}/acme-directory-ca.pem"  #: of a private directory
ACME_CA_BUNDLE = f"{STATE_DIR}/acme-authorities.pem"  #: this one, and those of the system
EDGE_CRON_FILE = "/etc/cron.d/tinykit-ops-edge"  #: renews certificates
#: Networks of a CDN as the host knows them now, one a line; the edge believes what they forward.
CDN_NETWORKS = "/var/lib/tinykit-ops/cdn-networks"

# Node.js.
NODE_HOME = "/opt/node"
NODE_BINARY = f"{NODE_HOME}/current/node"

# The firewall: a table of our own, so that nobody else's rules are touched.
FIREWALL_TABLE = "tinykit_ops"
FIREWALL_RULES = "/etc/tinykit-ops/firewall.nft"
FIREWALL_UNIT = "tinykit-ops-firewall.service"
#: What the distribution's own unit, which flushes every table, does for ours.
FIREWALL_DROP_IN = "/etc/systemd/system/nftables.service.d/tinykit-ops.conf"
BANS_UNIT = "fail2ban.service"
LOGINS_JAIL = "tinykit-logins"  #: refused logins at PocketBase and at `basic`
FIREWALL_CANDIDATE = "/etc/tinykit-ops/firewall.new.nft"  #: becomes the rules when confirmed
#: There from the first confirmation on: tinykit does not start without the firewall any more.
FIREWALL_DEMANDED = "/etc/tinykit-ops/firewall.demanded"
FIREWALL_WANTS = "/etc/tinykit-ops/firewall.json"  #: what the agent has to know for it
FIREWALL_STATE = "/var/lib/tinykit-ops/firewall"  #: root's, 0700
FIREWALL_SETS = f"{FIREWALL_STATE}/sets.nft"  #: what the host knows itself: resolvers, CDN, …
FIREWALL_ROLLBACK = "/etc/tinykit-ops/firewall-rollback.sh"
FIREWALL_ROLLBACK_TIMER = "tinykit-ops-firewall-rollback.timer"
FIREWALL_REFRESH_TIMER = "tinykit-ops-firewall-refresh.timer"

# Docker, where it is the runtime: systemd's units of the same names start the containers.
DOCKER_DIR = f"{CONFIG_DIR}/docker"
DOCKER_COMPOSE = f"{DOCKER_DIR}/compose.yml"
DOCKER_NET = f"{DOCKER_DIR}/net.yml"  #: the network that they share, apart: it outlives them
DOCKER_RUN = f"{DOCKER_DIR}/run"  #: what the units run: makes a container and stays with it
DOCKER_INSIDE = f"{DOCKER_DIR}/inside.nft"  #: rules within the containers' own network
DOCKER_RESOLV = f"{DOCKER_DIR}/resolv.conf"  #: the resolvers that the containers ask
DOCKER_BASE = f"{DOCKER_DIR}/base.tar"  #: a root file system that waits to be imported
DOCKER_BASE_NAME = f"{DOCKER_DIR}/base"  #: what the base image is called
DOCKER_SECRETS = "/run/tinykit-ops/containers"  #: a folder a user; copies that only he reads
DOCKER_BUILT = f"{STATE_DIR}/images"  #: an empty file an image, as old as the image
#: What every unit reads when it starts its container.
DOCKER_READ = (DOCKER_COMPOSE, DOCKER_RUN, DOCKER_RESOLV)
DOCKER_BRIDGE = "tinykit0"
DOCKER_IMAGES = "tinykit-ops"  #: what the names of our images begin with
NET_UNIT = "tinykit-net.service"  #: holds the network that the containers share
NET_CONTAINER = "tinykit-net"
POCKETBASE_CONTAINER = "tinykit-pocketbase"
TINYKIT_CONTAINERS = ("tinykit-app",)  #: at rest; a standby is there for moments

# Schedules.
CRON_FILE = "/etc/cron.d/tinykit-ops"
CHECKS_CRON_FILE = "/etc/cron.d/tinykit-ops-checks"
CHECKS_WAIVERS = f"{CONFIG_DIR}/waivers.toml"  #: findings that the inventory accepts
CHECKS_CA_FILE = f"{CONFIG_DIR}/checks-ca.pem"  #: on a verifier: authorities besides the system's
BACKUP_STATUS = f"{STATE_DIR}/backup/status.json"  #: what the last backups came to; for anybody
CHECKS_STATE = f"{STATE_DIR}/checks"  #: root's, 0700: the last report, and the history
SENDMAIL = "/usr/sbin/sendmail"  #: the host's mailer, of whatever package
WATCH_CRON_FILE = "/etc/cron.d/tinykit-ops-watch"
WATCH_STATE = f"{STATE_DIR}/watch"  #: root's, 0700: what was read and learnt, and what is wrong
WATCH_LOCK = f"{LOCK_DIR}/watch"

# Metrics.
METRICS_DIR = "/var/lib/prometheus/node-exporter"  #: node-exporter's folder of text files
WATCH_METRICS = f"{METRICS_DIR}/tinykit_watch.prom"
NODE_EXPORTER_UNIT = "prometheus-node-exporter.service"
NGINX_EXPORTER_UNIT = "prometheus-nginx-exporter.service"
NGINX_STATUS_PORT = 8093  #: on loopback: nginx counts its requests there
