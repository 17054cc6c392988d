"""Everything an inventory may say about one instance, with its defaults and bounds.

This is the only place that knows names, defaults, bounds and help texts: deploys, checks,
`tinykit-ops settings explain` and the reference page all read them from here.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Network = IPv4Network | IPv6Network
EVERYWHERE: list[Network] = [IPv4Network("0.0.0.0/0"), IPv6Network("::/0")]


class Section(BaseModel):
    """Base of every group of settings: unknown keys are errors, values do not change later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """Where a secret comes from: exactly one of an environment variable, a file or a command.

    The value is read on the controller, once, and travels to the host over standard input.
    """

    env: str | None = None
    file: str | None = None
    command: str | None = None
    value: str | None = Field(default=None, repr=False)


class Gate(Section):
    """Who may pass: a list of proofs, of which any or all must hold."""

    require: list[Literal["account", "allowlist"]] = Field(default=["account"], min_length=1)
    match: Literal["any", "all"] = "all"


class AccessSettings(Section):
    """Who may reach the builder and the administration."""

    builder: Gate = Gate()
    admin: Gate = Gate(require=["allowlist"])
    allowlist: list[Network] = []


class TlsSettings(Section):
    """Where certificates come from."""

    mode: Literal["acme", "internal", "files"] = "acme"
    email: str | None = None
    directory: str | None = None
    directory_ca: str | None = None
    certificate: str | None = None
    key: str | None = None


class EdgeSettings(Section):
    """The reverse proxy."""

    kind: Literal["caddy"] = "caddy"
    tls: TlsSettings = TlsSettings()
    max_body: str = "64MB"


class AppSettings(Section):
    """The tinykit to run: a release archive, or a commit that the controller builds."""

    archive: str | None = None
    sha256: str | None = None
    git: str | None = None
    commit: str | None = None


class PocketbaseSettings(Section):
    """The PocketBase to run."""

    version: str = "0.40.6"
    sha256: dict[Literal["x86_64", "aarch64"], str] = {}


class LlmSettings(Section):
    """The language model provider that tinykit's builder uses."""

    provider: Literal["openai", "anthropic", "gemini", "custom"] | None = None
    model: str | None = None
    base_url: str | None = None
    api_key: Secret | None = None


class S3Target(Section):
    """A bucket of any S3-compatible service."""

    kind: Literal["s3"]
    name: str
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: Secret
    secret_access_key: Secret
    encryption: Literal["none"] | list[str]


class DirectoryTarget(Section):
    """A folder on another disk or mount."""

    kind: Literal["directory"]
    name: str
    path: str
    encryption: Literal["none"] | list[str] = "none"


Target = Annotated[S3Target | DirectoryTarget, Field(discriminator="kind")]


class RetentionSettings(Section):
    """Which snapshots stay; the newest always does."""

    keep_last: int = Field(default=3, ge=1)
    daily: int = Field(default=7, ge=0)
    weekly: int = Field(default=5, ge=0)
    monthly: int = Field(default=12, ge=0)


class BackupSettings(Section):
    """Scheduled snapshots of PocketBase's data."""

    schedule: str = "17 3 * * *"
    targets: list[Target] = []
    retention: RetentionSettings = RetentionSettings()
    max_age_hours: int = Field(default=26, ge=1)


class FirewallSettings(Section):
    """Which addresses may open connections to the host."""

    enabled: bool = True
    ssh_port: int = Field(default=22, ge=1, le=65535)
    ssh_from: list[Network] = EVERYWHERE
    web_from: list[Network] = EVERYWHERE


class Settings(Section):
    """One instance of tinykit on one host."""

    domains: list[str] = Field(min_length=1)
    admin_email: str
    admin_password: Secret | None = None
    superuser_email: str | None = None
    superuser_password: Secret | None = None
    runtime: Literal["systemd"] = "systemd"
    app: AppSettings
    access: AccessSettings = AccessSettings()
    edge: EdgeSettings = EdgeSettings()
    pocketbase: PocketbaseSettings = PocketbaseSettings()
    llm: LlmSettings = LlmSettings()
    backup: BackupSettings = BackupSettings()
    firewall: FirewallSettings = FirewallSettings()
    unattended_upgrades: bool = True
    unsupported_os_ok: bool = False
