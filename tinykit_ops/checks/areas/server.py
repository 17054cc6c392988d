"""The database server: whom PocketBase takes for whom, and whom it counts."""

from __future__ import annotations

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import Area, Remedy, Severity, Vantage, Verdict, failed, passed
from tinykit_ops.checks.registry import check
from tinykit_ops.checks.server import everywhere, section, settings_of
from tinykit_ops.host.server_settings import LOOPBACK, PROXY_HEADER, superuser_addresses

_LINE = "PocketBase behind /_pb/"


@check(
    id="database.trusted-proxy",
    title="PocketBase believes the reverse proxy, and no client, about addresses",
    area=Area.DATABASE,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist=_LINE,
    remedy=Remedy(
        caddy="reverse_proxy 127.0.0.1:8091 {\n\theader_up X-Forwarded-For {client_ip}\n}",
        nginx="proxy_set_header X-Forwarded-For $remote_addr;",
        by_hand=f"In PocketBase's dashboard, Settings > Application > User IP proxy headers: "
        f"{PROXY_HEADER} alone, read from the right. Without it all limits and logs take every "
        "visitor for the proxy; with the leftmost address, or a header that the proxy does not "
        "overwrite, anybody chooses an address.",
    ),
)
def only_the_proxy_is_believed(look: Context) -> Verdict:
    """Reads PocketBase's settings."""
    trusted = section(look, "trustedProxy")
    headers = trusted.get("headers") or []
    if trusted.get("useLeftmostIP"):
        return failed("PocketBase takes the leftmost address, which the client writes")
    if headers != [PROXY_HEADER]:
        named = ", ".join(map(str, headers)) or "no header"
        return failed(f"PocketBase reads addresses from {named}; want {PROXY_HEADER}")
    return passed(f"PocketBase reads addresses from {PROXY_HEADER}, from the right")


@check(
    id="database.superuser-addresses",
    title="Superusers come from known addresses only",
    area=Area.DATABASE,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist="Protect the builder",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard (0.38.0 and later), Settings > Application > Superuser "
        "IPs: 127.0.0.1, ::1 (tinykit itself) and your own addresses. The deploy does it when "
        "`access.admin` asks for the allowlist."
    ),
)
def superusers_come_from_known_addresses(look: Context) -> Verdict:
    """Reads PocketBase's list, and compares it with the gate that the settings want."""
    found = settings_of(look).get("superuserIPs")
    if found is None:
        return passed("this PocketBase has no such list; the proxy's gate is the guard")
    if look.settings and not superuser_addresses(look.settings):
        return passed("access.admin lets superusers in by other proofs than an address")
    if not found:
        return failed("PocketBase takes superusers from anywhere")
    if anywhere := everywhere(found):
        return failed(f"PocketBase takes superusers from {', '.join(anywhere)}, which is anywhere")
    known = {*LOOPBACK, *(superuser_addresses(look.settings) if look.settings else found)}
    if strange := [each for each in found if each not in known]:
        return failed(f"PocketBase also takes superusers from {', '.join(strange)}")
    return passed(f"PocketBase takes superusers from {', '.join(found)}")


@check(
    id="database.limits-spare-tinykit",
    title="PocketBase's limits do not count tinykit itself",
    area=Area.DATABASE,
    severity=Severity.LOW,
    looks_from=Vantage.SUPERUSER,
    checklist="Set up monitoring",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, Settings > Application > Rate limiting: exclude "
        "127.0.0.1 and ::1. tinykit's server is one address for all visitors, and published pages "
        "answer 429 for everybody when it is counted. Where the version cannot exclude addresses, "
        "limit `*:auth` only."
    ),
)
def limits_spare_tinykit(look: Context) -> Verdict:
    """Reads PocketBase's limiter."""
    limits = section(look, "rateLimits")
    if not limits.get("enabled"):
        return passed("PocketBase's limits are off, and count nobody")
    if "excludedIPs" in limits:
        missing = [each for each in LOOPBACK if each not in limits["excludedIPs"]]
        if missing:
            return failed(f"PocketBase's limits count {', '.join(missing)}, which is tinykit")
        return passed("PocketBase's limits leave loopback out")
    general = [rule["label"] for rule in limits.get("rules", []) if rule.get("label") == "/api/"]
    if general:
        return failed("the limit for /api/ counts tinykit, which this version cannot leave out")
    return passed("PocketBase limits nothing that published pages need")


@check(
    id="database.address-known",
    title="PocketBase knows its address, which is https",
    area=Area.DATABASE,
    severity=Severity.LOW,
    looks_from=Vantage.SUPERUSER,
    checklist="Enable HTTPS",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, Settings > Application: set the application URL to the "
        "builder's address with https://. Links in its e-mails, with tokens, begin with it."
    ),
)
def address_is_https(look: Context) -> Verdict:
    """Reads PocketBase's settings."""
    url = str(section(look, "meta").get("appURL") or "nothing")
    if look.settings and url.rstrip("/") != look.settings.builder_origin:
        return failed(f"PocketBase's address is {url}, not {look.settings.builder_origin}")
    return passed(f"PocketBase's address is {url}") if url.startswith("https://") else failed(url)


@check(
    id="backups.not-mixed",
    title="PocketBase's own scheduled backups are off",
    area=Area.BACKUPS,
    severity=Severity.MEDIUM,
    looks_from=Vantage.SUPERUSER,
    checklist="Backups: manual, automated by cron, or by volume snapshot",
    remedy=Remedy(
        by_hand="In PocketBase's dashboard, Settings > Backups: remove the schedule. A built-in "
        "backup drops PocketBase's locks on its database, and whatever else opens it from then on "
        "can make it crash or lose records (pocketbase issue 7810)."
    ),
)
def builtin_backups_are_off(look: Context) -> Verdict:
    """Reads PocketBase's settings."""
    schedule = section(look, "backups").get("cron")
    if schedule:
        return failed(f"PocketBase makes its own backups at {schedule}")
    return passed("PocketBase has no schedule of its own for backups")
