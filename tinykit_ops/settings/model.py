"""Everything an inventory may say about one instance, with its defaults and bounds.

This package is the only place that knows names, defaults, bounds and help texts: deploys,
checks, `tinykit-ops settings explain` and the reference page all read them from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from tinykit_ops.settings.access import AccessSettings, Gate
from tinykit_ops.settings.backup import BackupSettings
from tinykit_ops.settings.backup_targets import DirectoryTarget, S3Target, Target
from tinykit_ops.settings.bans import BanSettings
from tinykit_ops.settings.checks import CheckSettings
from tinykit_ops.settings.docker import DockerSettings, unreachable_from_containers
from tinykit_ops.settings.edge import EdgeSettings, TlsSettings
from tinykit_ops.settings.firewall import EVERYWHERE, CdnSettings, FirewallSettings
from tinykit_ops.settings.metrics import MetricsSettings
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.retention import RetentionSettings
from tinykit_ops.settings.secrets import Secret, password_fault, unusable
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.software import AppSettings, LlmSettings, PocketbaseSettings
from tinykit_ops.settings.values import Domain, Email, ListLike, Network
from tinykit_ops.settings.watch import WatchSettings

__all__ = [
    "EVERYWHERE",
    "AccessSettings",
    "AppSettings",
    "BackupSettings",
    "CdnSettings",
    "DirectoryTarget",
    "DockerSettings",
    "EdgeSettings",
    "FirewallSettings",
    "Gate",
    "LlmSettings",
    "Network",
    "PocketbaseSettings",
    "RetentionSettings",
    "S3Target",
    "Secret",
    "Section",
    "Settings",
    "Target",
    "TlsSettings",
]

#: Last labels that no public authority gives certificates for (RFC 2606, 6761, 6762, 8375).
_PRIVATE_ENDINGS = (
    ".test",
    ".example",
    ".invalid",
    ".localhost",
    ".local",
    ".internal",
    ".lan",
    ".home.arpa",
)


def _domains_differ(settings: Settings) -> Iterator[Problem]:
    domains = settings.domains
    for number, domain in enumerate(domains):
        key = f"domains[{number}]"
        if domain in domains[:number]:
            yield Problem(key, f'"{domain}" is listed twice', "remove one of the two")


def _builder_domain_differs(settings: Settings) -> Iterator[Problem]:
    if settings.builder_domain in settings.domains:
        reason = f'"{settings.builder_domain}" is one of domains: the builder needs its own'
        yield Problem("builder_domain", reason, "take it off domains, or name another one")


def is_public_name(domain: str) -> bool:
    """Whether a public authority may certify it."""
    return "." in domain and not f".{domain}".endswith(_PRIVATE_ENDINGS)


def _domains_are_public(settings: Settings) -> Iterator[Problem]:
    tls = settings.edge.tls
    if tls.mode != "acme" or tls.directory is not None:
        return
    named = {f"domains[{number}]": domain for number, domain in enumerate(settings.domains)}
    if settings.builder_domain:
        named["builder_domain"] = settings.builder_domain
    for key, domain in named.items():
        if not is_public_name(domain):
            yield Problem(
                key,
                f'"{domain}" is no public name, so no public authority will certify it',
                'use a domain of your own, or "edge": {"tls": {"mode": "internal"}}',
            )


def _private_web_has_addresses(settings: Settings) -> Iterator[Problem]:
    firewall = settings.firewall
    if firewall.mode != "private" or firewall.web_from is not None:
        return
    if not settings.access.allowlist:
        reason = 'is missing, and access.allowlist is empty: the mode "private" lets nobody in'
        yield Problem("firewall.web_from", reason, 'example: "web_from": ["203.0.113.7"]')
    elif any(network.prefixlen == 0 for network in settings.access.allowlist):
        reason = "is missing, and access.allowlist, used in its place, holds every address"
        yield Problem("firewall.web_from", reason, 'name your networks, or use "mode": "public"')


def _scrapers_have_a_firewall(settings: Settings) -> Iterator[Problem]:
    metrics, firewall = settings.metrics, settings.firewall
    if metrics.scrapers and not firewall.enabled:
        reason = "is set, and the firewall is not enabled: nobody would keep others out"
        yield Problem("metrics.scrapers", reason, 'set "firewall": {"enabled": True}')
    for key in ("node_port", "edge_port"):
        if metrics.enabled and getattr(metrics, key) == firewall.ssh_port:
            yield Problem(
                f"metrics.{key}", f"{firewall.ssh_port} is the port of SSH", "take another one"
            )


def _containers_reach_the_model(settings: Settings) -> Iterator[Problem]:
    if settings.runtime == "docker":
        yield from unreachable_from_containers("llm.base_url", settings.llm.base_url or "")


def _plain_secrets_are_usable(settings: Settings) -> Iterator[Problem]:
    for name in ("admin_password", "superuser_password"):
        secret: Secret | None = getattr(settings, name)
        if secret is not None and secret.value is not None:
            text = secret.value.get_secret_value()
            fault = unusable(text) or password_fault(text)
            if fault:
                yield Problem(name, fault, "`openssl rand -base64 24` makes a good one")


class Settings(Section):
    """One instance of tinykit on one host."""

    rules = (
        _domains_differ,
        _builder_domain_differs,
        _domains_are_public,
        _private_web_has_addresses,
        _scrapers_have_a_firewall,
        _containers_reach_the_model,
        _plain_secrets_are_usable,
    )

    domains: Annotated[list[Domain], ListLike] = Field(
        min_length=1,
        max_length=100,
        description="Every domain that this instance answers for; requests for other names end "
        "at the edge. To serve `www.` in front of a name too, list both: tinykit takes them for "
        "the same, but each needs its own DNS record and certificate.",
        examples=[["apps.example.com"]],
    )
    builder_domain: Domain | None = Field(
        default=None,
        description="A domain of its own for the builder, the API and PocketBase (recommended). "
        "The `domains` then carry published apps only, so that a published app cannot steal a "
        "builder's session. Left out, everything shares the domains.",
        examples=["build.example.com"],
    )
    admin_email: Email = Field(
        description="E-mail address of the first account, with which you log in to tinykit.",
        examples=["you@example.com"],
    )
    admin_password: Secret | None = Field(
        default=None,
        description="Password that the first account is made with: 10 to 71 characters. Left out, "
        "one is made up on the host and kept there in a file that only root can read. Once the "
        "account is there, its password is changed in tinykit, not here.",
        examples=[{"env": "TINYKIT_ADMIN_PASSWORD"}],
    )
    superuser_email: Email | None = Field(
        default=None,
        description="E-mail address of PocketBase's superuser, as which tinykit's server logs "
        "in; `admin_email` when left out.",
        examples=["root@example.com"],
    )
    superuser_password: Secret | None = Field(
        default=None,
        description="Password of PocketBase's superuser: 10 to 71 characters. Left out, one is "
        "made up on the host and kept there in a file that only root can read.",
        examples=[{"command": "pass show tinykit/superuser"}],
    )
    runtime: Literal["systemd", "docker"] = Field(
        default="systemd",
        description="What runs tinykit and PocketBase: systemd by itself, or containers, which "
        "systemd's units start. Data, edge, backups and checks are the same; it can be switched "
        "at any time.",
        examples=["docker"],
    )
    docker: DockerSettings = Field(
        default=DockerSettings(),
        description='What the containers stand on, for the runtime "docker".',
        examples=[{"base_image": "debian:trixie-slim"}],
    )
    app: AppSettings = Field(
        description="The tinykit to run.",
        examples=[{"archive": "dist/tinykit-617db3416af2.tar.zst"}],
    )
    access: AccessSettings = Field(
        default=AccessSettings(),
        description="Who may reach the builder and the administration.",
        examples=[{"allowlist": ["203.0.113.7"]}],
    )
    edge: EdgeSettings = Field(
        default=EdgeSettings(), description="The reverse proxy.", examples=[{"max_body": "64MB"}]
    )
    pocketbase: PocketbaseSettings = Field(
        default=PocketbaseSettings(),
        description="The PocketBase to run.",
        examples=[{"version": "0.40.6"}],
    )
    llm: LlmSettings = Field(
        default=LlmSettings(),
        description="The language model provider that tinykit's builder uses.",
        examples=[{"provider": "anthropic", "api_key": {"env": "TINYKIT_LLM_API_KEY"}}],
    )
    backup: BackupSettings = Field(
        default=BackupSettings(),
        description="Scheduled snapshots of PocketBase's data.",
        examples=[{"schedule": "17 3 * * *"}],
    )
    firewall: FirewallSettings = Field(
        default=FirewallSettings(),
        description="Which addresses may open connections to the host.",
        examples=[{"ssh_from": ["203.0.113.7"]}],
    )
    bans: BanSettings = Field(
        default=BanSettings(),
        description="Who is shut out for guessing passwords (fail2ban).",
        examples=[{"attempts": 10, "minutes": 60}],
    )
    checks: CheckSettings = Field(
        default=CheckSettings(),
        description="The nightly look at the host's own checklist.",
        examples=[{"schedule": "41 4 * * *"}],
    )
    watch: WatchSettings = Field(
        default=WatchSettings(),
        description="The look at traffic and host every minute, for people without Prometheus.",
        examples=[{"enabled": True}],
    )
    metrics: MetricsSettings = Field(
        default=MetricsSettings(),
        description="Exporters for a Prometheus, and who may scrape them.",
        examples=[{"enabled": True, "scrapers": ["203.0.113.9"]}],
    )
    unattended_upgrades: bool = Field(
        default=True,
        description="Whether the distribution's security updates install themselves.",
        examples=[True],
    )
    unsupported_os_ok: bool = Field(
        default=False,
        description="Go on where the system is not Debian 12 or 13. Nobody has tried that.",
        examples=[False],
    )

    @property
    def builder_origin(self) -> str:
        """Where people log in to the builder: a scheme and a host name."""
        return f"https://{self.builder_domain or self.domains[0]}"

    @property
    def in_containers(self) -> bool:
        """Whether tinykit and PocketBase run in containers."""
        return self.runtime == "docker"

    @property
    def superuser(self) -> str:
        """E-mail address of PocketBase's superuser."""
        return self.superuser_email or self.admin_email
