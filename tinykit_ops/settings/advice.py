"""Settings that are allowed and worth a second look."""

from __future__ import annotations

from collections.abc import Iterator

from tinykit_ops.settings.access import Gate
from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.problems import Advice
from tinykit_ops.settings.secrets import secrets_of


def advice_for(settings: Settings) -> list[Advice]:
    """What to think about again, most dangerous first; empty when there is nothing."""
    return [
        *_plain_secrets(settings),
        *_open_gates(settings),
        *_open_firewall(settings),
        *_closed_web(settings),
        *_missing_backups(settings),
    ]


def _plain_secrets(settings: Settings) -> Iterator[Advice]:
    for key, secret in secrets_of(settings):
        if secret.value is not None:
            text = "the secret stands in the inventory in plain text"
            yield Advice(key, text, 'use {"env": …}, {"file": …} or {"command": …}')


def _open_gates(settings: Settings) -> Iterator[Advice]:
    access = settings.access
    everywhere = any(network.prefixlen == 0 for network in access.allowlist)
    gates = (("builder", access.builder), ("admin", access.admin))
    for name, gate in gates:
        if everywhere and _allowlist_suffices(gate):
            text = "lets everybody pass, because the allowlist holds every address"
            yield Advice(f"access.{name}", text, "name your own networks, or require an account")


def _allowlist_suffices(gate: Gate) -> bool:
    return "allowlist" in gate.require and (gate.match == "any" or len(gate.require) == 1)


def _open_firewall(settings: Settings) -> Iterator[Advice]:
    firewall = settings.firewall
    if not firewall.enabled:
        yield Advice("firewall.enabled", "no firewall is set up", "is there another one?")
    elif any(network.prefixlen == 0 for network in firewall.ssh_from):
        text = "SSH is open to the whole internet"
        yield Advice(
            "firewall.ssh_from", text, 'name the networks you log in from: ["203.0.113.7"]'
        )


def _closed_web(settings: Settings) -> Iterator[Advice]:
    firewall, tls = settings.firewall, settings.edge.tls
    if firewall.mode == "public":
        return
    if firewall.mode == "private" and tls.mode == "acme" and tls.directory is None:
        text = "a public authority cannot reach port 80 to certify the domains"
        hint = 'use "edge": {"tls": {"mode": "files"}} or "internal"'
        yield Advice("firewall.mode", text, hint)
    networks = firewall.cdn.networks if firewall.mode == "cdn" else firewall.web_from or []
    key = "firewall.cdn.networks" if firewall.mode == "cdn" else "firewall.web_from"
    if networks and not firewall.cdn.source and all(network.version == 4 for network in networks):
        text = "names no IPv6 network, so nobody gets in over IPv6"
        yield Advice(key, text, "add theirs, or give the domains no AAAA record")


def _missing_backups(settings: Settings) -> Iterator[Advice]:
    backup = settings.backup
    if not backup.targets:
        text = "no target is named, so no backup is made at all"
        yield Advice("backup.targets", text, "name a bucket or another disk")
    for target in backup.targets:
        if target.kind == "s3" and target.encryption == "none":
            text = "backups leave the host unsealed"
            yield Advice(f"backup.targets.{target.name}.encryption", text, "name an age public key")
