"""Monitoring: somebody looks, writes down what happens, and tells a person."""

from __future__ import annotations

import re

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Need,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check

_LINE = "Set up monitoring (unusual traffic, error spikes)"
_LEAST_FREE = 10  #: per cent of a file system
_EXPORTERS = (
    "prometheus-node-exporter.service",
    "node_exporter.service",
    "netdata.service",
    "telegraf.service",
    "zabbix-agent2.service",
    "zabbix-agent.service",
    "collectd.service",
    "datadog-agent.service",
    "amazon-cloudwatch-agent.service",
)


@check(
    id="monitoring.metrics",
    title="Something measures the host",
    area=Area.MONITORING,
    severity=Severity.LOW,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand='Set "metrics": {"enabled": True} in the inventory and run deploys/full.py; or '
        "apt-get install prometheus-node-exporter, and let it listen on 127.0.0.1 or to "
        "your Prometheus only. tinykit-ops writes its own metrics into its folder of text files."
    ),
)
def something_measures(look: Context) -> Verdict:
    """Asks systemd for the usual programs that do it."""
    states = {
        unit: look.machine.run("systemctl", "is-active", unit).out.strip() for unit in _EXPORTERS
    }
    running = [unit for unit, state in states.items() if state == "active"]
    if running:
        return passed(f"{', '.join(running)} is active")
    if not any(states.values()):
        raise CannotLook("systemd says nothing about units")
    return failed(f"none of {', '.join(_EXPORTERS)} is active")


@check(
    id="monitoring.alerts",
    title="Somebody is told when something goes wrong",
    area=Area.MONITORING,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Name whom to tell in the inventory: `backup.notify` has `ping_url` "
        "(healthchecks.io), `webhook_url`, `ntfy_url` and `email`."
    ),
)
def somebody_is_told(look: Context) -> Verdict:
    """Reads the channels of the settings, and whether their secrets are on the host."""
    notify, tally = look.known.backup.notify, Tally()
    for name in ("ping_url", "webhook_url", "ntfy_url"):
        secret = getattr(notify, name)
        if secret is None:
            continue
        path = secret.file if look.host and secret.file else ""
        there = not path.startswith(layout.SECRETS_DIR) or look.machine.stat(path) is not None
        (tally.good if there else tally.bad).append(
            f"backup.notify.{name} is {'set' if there else f'set, but {path} is missing'}"
        )
    if notify.email:
        mailer = look.machine.stat(layout.SENDMAIL) is not None
        (tally.good if mailer else tally.bad).append(
            f"backup.notify.email is set, {layout.SENDMAIL} is {'there' if mailer else 'missing'}"
        )
    if not tally.good and not tally.bad:
        return failed(
            "the settings name nobody to tell: no ping_url, webhook_url, ntfy_url or email"
        )
    return tally.verdict()


@check(
    id="monitoring.nightly-check",
    title="The checklist is gone through every night",
    area=Area.MONITORING,
    severity=Severity.LOW,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(by_hand="Set `checks.enabled` in the inventory, and run deploys/checks.py."),
)
def checks_are_scheduled(look: Context) -> Verdict:
    """Reads the cron file of the checks."""
    if not look.known.checks.enabled:
        return failed("the settings switch the nightly checks off")
    text = look.machine.read(layout.CHECKS_CRON_FILE)
    if text is None or "check scheduled" not in text:
        return failed(f"{layout.CHECKS_CRON_FILE} schedules no checks")
    return passed(f"{layout.CHECKS_CRON_FILE} schedules them at {look.known.checks.schedule}")


@check(
    id="monitoring.access-log",
    title="The proxy writes down who asks for what",
    area=Area.MONITORING,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(
        caddy=f"log {{\n\toutput file {layout.CADDY_LOGS}/access.log\n}}",
        nginx=f"access_log {layout.NGINX_LOGS}/access.log;",
        by_hand="Let the reverse proxy write an access log: without one, unusual traffic and "
        "spikes of errors leave no trace. Or run deploys/edge.py again.",
    ),
)
def the_proxy_keeps_a_log(look: Context) -> Verdict:
    """Looks for the log, and for the line of the proxy's configuration that asks for it."""
    path, config, line = _log_of(look)
    text = look.machine.read(config)
    if text is None:
        raise CannotLook(f"there is no {config}")
    if not re.search(line, text):
        return failed(f"{config} does not write {path}")
    if look.machine.stat(path) is None:
        return failed(f"there is no {path}")
    return passed(f"{config} writes {path}")


def _log_of(look: Context) -> tuple[str, str, str]:
    """(log, configuration, pattern of the line in it)."""
    if look.known.edge.kind == "nginx":
        path = f"{layout.NGINX_LOGS}/access.log"
        return path, layout.NGINX_CONFIG, rf"(?m)^\s*access_log\s+{re.escape(path)}\b"
    path = f"{layout.CADDY_LOGS}/access.log"
    return path, layout.CADDY_CONFIG, rf"(?m)^\s*output\s+file\s+{re.escape(path)}\b"


@check(
    id="monitoring.log-rotation",
    title="Logs are rotated before they fill the disk",
    area=Area.MONITORING,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(
        caddy="log {\n\toutput file /var/log/caddy/access.log {\n\t\troll_size 50MiB\n\t\t"
        "roll_keep 10\n\t}\n}",
        nginx="/var/log/nginx/tinykit/*.log {\n    daily\n    maxsize 100M\n    rotate 14\n"
        "    compress\n    postrotate\n        systemctl kill --signal=USR1 nginx.service\n"
        "    endscript\n}",
        by_hand="Rotate the proxy's log by size, and keep a bounded number of old ones. Or run "
        "deploys/edge.py again.",
    ),
)
def logs_are_rotated(look: Context) -> Verdict:
    """Reads the rule for the proxy's log, and asks systemd for the timer that applies it."""
    path, config, _ = _log_of(look)
    if look.known.edge.kind == "caddy":
        text = look.machine.read(config) or ""
        found = re.search(r"roll_size\s+\S+", text)
        if not text:
            raise CannotLook(f"there is no {config}")
        if not found or "roll_keep" not in text or "roll_disabled" in text:
            return failed(f"{config} has no roll_size and roll_keep for {path}")
        return passed(f"{config}: {found[0]}")
    folder = path.rsplit("/", 1)[0]
    listed = look.machine.run("grep", "-rlF", f"{folder}/", "/etc/logrotate.d")
    if listed.status not in {0, 1}:
        raise CannotLook(f"/etc/logrotate.d cannot be read: {listed.complaint}")
    timer = look.machine.run("systemctl", "is-active", "logrotate.timer").out.strip()
    tally = Tally()
    (tally.good if listed.out else tally.bad).append(
        listed.out.strip() or f"no rule in /etc/logrotate.d names {folder}/"
    )
    (tally.good if timer == "active" else tally.bad).append(
        f"logrotate.timer is {timer or 'unknown'}"
    )
    return tally.verdict()


@check(
    id="monitoring.disk-space",
    title="No file system that matters is nearly full",
    area=Area.MONITORING,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Make room: `journalctl --vacuum-size=200M`, `apt-get clean`, old releases and "
        "snapshots; or a bigger disk. PocketBase cannot write a record on a full one."
    ),
)
def disks_have_room(look: Context) -> Verdict:
    """Asks `df` for the file systems of the data, the logs and the system."""
    places = ("/", "/var/log", layout.POCKETBASE_STATE)
    tally = Tally()
    for place in places:
        result = look.machine.run("df", "-P", place)
        found = re.search(r"\s(\d+)%\s+\S+\s*\Z", result.out)
        if result.status != 0 or not found:
            tally.unseen.append(f"`df {place}` says nothing: {result.complaint}")
            continue
        free = 100 - int(found[1])
        line = f"{place} has {free} % free (at least {_LEAST_FREE})"
        (tally.good if free >= _LEAST_FREE else tally.bad).append(line)
    return tally.verdict()


@check(
    id="monitoring.services-run",
    title="Every service runs, and comes back after a reboot",
    area=Area.MONITORING,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    needs=(Need.SETTINGS,),
    checklist=_LINE,
    remedy=Remedy(by_hand="systemctl enable --now UNIT; `journalctl -u UNIT` says why it ended."),
)
def services_run(look: Context) -> Verdict:
    """Asks systemd about each unit of the instance."""
    edge = layout.NGINX_UNIT if look.known.edge.kind == "nginx" else layout.CADDY_UNIT
    tally = Tally()
    for unit in (layout.POCKETBASE_UNIT, layout.TINYKIT_UNIT, edge):
        active = look.machine.run("systemctl", "is-active", unit).out.strip()
        enabled = look.machine.run("systemctl", "is-enabled", unit).out.strip()
        line = f"{unit} is {active or 'unknown'} and {enabled or 'not there'}"
        good = active == "active" and enabled == "enabled"
        (tally.good if good else tally.bad).append(line)
    return tally.verdict()
