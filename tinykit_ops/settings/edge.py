"""The reverse proxy and its certificates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import Email, Size, Source, WebAddress, size_in_bytes


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


class EdgeSettings(Section):
    """The reverse proxy."""

    kind: Literal["caddy"] = Field(
        default="caddy", description="Which reverse proxy to run.", examples=["caddy"]
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

    @property
    def max_body_bytes(self) -> int:
        """`max_body` in bytes."""
        return size_in_bytes(self.max_body)
