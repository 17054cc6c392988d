"""The reverse proxy and its certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import (
    Email,
    ListLike,
    OneLine,
    Size,
    Source,
    WebAddress,
    size_in_bytes,
)


def _contact(value: str) -> str:
    if not re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s/]+[^\s]*|tel:\+?[0-9-]+)", value):
        raise ValueError("must begin with mailto:, https:// or tel:")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError("must be a language tag such as en or pt-BR")
    return value


ContactAddress = Annotated[OneLine, AfterValidator(_contact)]
Language = Annotated[OneLine, AfterValidator(_language)]


def _files_are_named(tls: TlsSettings) -> Iterator[Problem]:
    if tls.mode == "files":
        for name in ("certificate", "key"):
            if getattr(tls, name) is None:
                reason = 'is missing: the mode "files" needs a certificate and its key'
                yield Problem(name, reason, f'example: "{name}": "certificates/{name}.pem"')


def _files_are_used(tls: TlsSettings) -> Iterator[Problem]:
    if tls.mode != "files":
        for name in ("certificate", "key"):
            if getattr(tls, name) is not None:
                reason = f'is only used with the mode "files", and the mode is "{tls.mode}"'
                yield Problem(name, reason, 'set "mode": "files", or leave it out')


def _directory_is_used(tls: TlsSettings) -> Iterator[Problem]:
    if tls.mode != "acme":
        for name in ("directory", "directory_ca"):
            if getattr(tls, name) is not None:
                reason = f'is only used with the mode "acme", and the mode is "{tls.mode}"'
                yield Problem(name, reason, 'set "mode": "acme", or leave it out')


class TlsSettings(Section):
    """Where certificates come from."""

    rules = (_files_are_named, _files_are_used, _directory_is_used)

    mode: Literal["acme", "internal", "files"] = Field(
        default="acme",
        description="`acme`: a public authority such as Let's Encrypt. `internal`: an authority "
        "that the edge makes for itself; browsers warn. `files`: a certificate of your own.",
        examples=["acme"],
    )
    email: Email | None = Field(
        default=None,
        description="Where the authority writes to when a certificate is about to end.",
        examples=["ops@example.com"],
    )
    directory: WebAddress | None = Field(
        default=None,
        description="Directory address of another ACME authority; Let's Encrypt when left out.",
        examples=["https://acme-staging-v02.api.letsencrypt.org/directory"],
    )
    directory_ca: Source | None = Field(
        default=None,
        description="PEM file on the controller: the authority that signs the ACME directory's own "
        "certificate, for a private one.",
        examples=["certificates/acme-root.pem"],
    )
    on_demand: bool = Field(
        default=False,
        description="Also get a certificate for a name that is not listed, when somebody asks for "
        "it and it is the domain of a published project (or its `www.`). Caddy with `acme` only.",
        examples=[True],
    )
    new_names_a_day: int = Field(
        default=10,
        ge=1,
        le=300,
        description="How many names `on_demand` may add in a day, so that nobody uses up what the "
        "authority allows.",
        examples=[10],
    )
    certificate: Source | None = Field(
        default=None,
        description="PEM file on the controller: the certificate and its chain.",
        examples=["certificates/certificate.pem"],
    )
    key: Source | None = Field(
        default=None,
        description="PEM file on the controller: the certificate's private key.",
        examples=["certificates/key.pem"],
    )


def _on_demand_is_caddys(edge: EdgeSettings) -> Iterator[Problem]:
    if edge.tls.on_demand and (edge.kind != "caddy" or edge.tls.mode != "acme"):
        reason = 'needs "kind": "caddy" and the mode "acme"'
        yield Problem("tls.on_demand", reason, "list every domain instead, or change these")


class LimitSettings(Section):
    """How much one address may ask for, before the edge says 429."""

    writes: int = Field(
        default=120,
        ge=1,
        le=100_000,
        description="Writes of published data, a minute and address.",
        examples=[120],
    )
    proxied: int = Field(
        default=300,
        ge=1,
        le=100_000,
        description="Requests through `/api/proxy`, which published apps use, a minute and "
        "address.",
        examples=[300],
    )
    logins: int = Field(
        default=20,
        ge=2,
        le=1000,
        description="Attempts to log in, a minute and address.",
        examples=[20],
    )
    streams: int = Field(
        default=40,
        ge=1,
        le=10_000,
        description="Event streams (`/_tk/realtime`) an address: open at a time with nginx; with "
        "Caddy, which cannot count them, opened in a minute, and a cap on all of them together.",
        examples=[40],
    )


class SecurityTxtSettings(Section):
    """Whom to tell about a vulnerability (RFC 9116)."""

    contact: Annotated[list[ContactAddress], ListLike] = Field(
        min_length=1,
        description="Where to write to, best first: `mailto:`, `https:` or `tel:`.",
        examples=[["mailto:security@example.com"]],
    )
    policy: WebAddress | None = Field(
        default=None,
        description="A page that says how reports are handled.",
        examples=["https://example.com/security"],
    )
    languages: Annotated[list[Language], ListLike] = Field(
        default=[],
        description="Languages that reports may be written in.",
        examples=[["en", "de"]],
    )


class EdgeSettings(Section):
    """The reverse proxy."""

    rules = (_on_demand_is_caddys,)

    kind: Literal["caddy", "nginx"] = Field(
        default="caddy",
        description="Which reverse proxy to run. Caddy is pinned by hash and gets its certificates "
        "by itself; nginx and certbot are the distribution's.",
        examples=["nginx"],
    )
    tls: TlsSettings = Field(
        default=TlsSettings(),
        description="Where certificates come from.",
        examples=[{"mode": "internal"}],
    )
    max_body: Size = Field(
        default="64MB",
        description="The largest request that is let through, so the largest upload "
        "(1MB to 10GB; KB, MB, GB count in 1000s, KiB, MiB, GiB in 1024s).",
        examples=["64MB"],
    )

    limits: LimitSettings = Field(
        default=LimitSettings(),
        description="How much one address may ask for.",
        examples=[{"writes": 120}],
    )
    security_txt: SecurityTxtSettings | None = Field(
        default=None,
        description="Whom to tell about a vulnerability: `/.well-known/security.txt` (RFC 9116). "
        "Every deploy renews its expiry. Left out, the path belongs to the published app.",
        examples=[{"contact": ["mailto:security@example.com"]}],
    )

    @property
    def max_body_bytes(self) -> int:
        """`max_body` in bytes."""
        return size_in_bytes(self.max_body)
