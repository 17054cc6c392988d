"""A contract instance that is claimed and has an account and a key, behind nothing; and what the
checklist finds on a fresh tinykit, as docs/fresh-tinykit.md lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tinykit_ops.artifacts import local_binary
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.lab.contract_instance import running
from tinykit_ops.pocketbase.client import PocketBase

PERSON = ("person@example.com", "canary-account-password")
ROOT_USER = ("root@example.com", "canary-superuser-password")
KEY = "sk-canary-of-a-language-model"
#: Found by anybody.
FRESH = {
    "builder.setup-closed",
    "builder.gated",
    "builder.no-way-around",
    "builder.dangerous-routes-closed",
    "builder.not-framed",
    "preview.sandboxed",
    "origin.writes-exact",
    "origin.names-not-polluting",
    "origin.unknown-names-refused",
    "origin.foreign-bytes-inert",
    "origin.builder-apart",
    "proxy.dashboard-gated",
    "https.certificate",
    "https.hsts",
    "https.redirect",
    "disclosure.security-txt",
}
#: Found with logins, besides what anybody finds.
WITH_LOGINS = {
    "authentication.login-limited",
    "secrets.llm-key-unreadable",
    "secrets.key-not-in-database",
    "database.settings-locked",
    "database.users-unlisted",
    "database.trusted-proxy",
    "database.address-known",
}
#: Newer than the oldest version that is supported.
NEWER = {"0.40.6": {"database.superuser-addresses"}, "0.23.4": set()}
SOUND = {
    "authentication.login-works",
    "authentication.token-form",
    "authentication.token-lifetime",
    "authentication.refresh",
    "authentication.forged-tokens-refused",
    "authentication.password-length",
    "authentication.password-ends-logins",
    "authentication.accounts-locked",
    "database.no-public-write",
    "database.no-public-read",
    "database.superusers-known",
    "database.superuser-logins-end",
    "database.batch-off",
    "backups.not-mixed",
}


@contextmanager
def claimed_instance(app: Path, folder: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Its port, and the environment that gives the checks both logins."""
    with running(app, folder, local_binary("pocketbase"), superuser=ROOT_USER) as instance:
        root = PocketBase(f"{instance.url}/_pb")
        root.login_superuser(*ROOT_USER)
        password = {"password": PERSON[1], "passwordConfirm": PERSON[1]}
        root.create_record("users", {"email": PERSON[0], **password})
        root.create_record("_tk_settings", {"id": "llm", "value": {"api_key": KEY}})
        logins = {ACCOUNT: PERSON, SUPERUSER: ROOT_USER}
        environment = {
            f"{prefix}_{name}": value
            for prefix, pair in logins.items()
            for name, value in zip(("EMAIL", "PASSWORD"), pair, strict=True)
        }
        yield urlsplit(instance.url).port or 0, environment
