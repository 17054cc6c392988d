"""Breaks of what cares for a host: backups, alerts, the nightly look, certificates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from mutation_bench import MutationBench
from mutation_kinds import BACKUP_STATUS, Break, moved, mutation, new_file, shell, text

from tinykit_ops import layout
from tinykit_ops.backup.places import Places
from tinykit_ops.edge import nginx_tls
from tinykit_ops.edge.caddy import CERTIFICATE, KEY
from tinykit_ops.host.authority import Signed, make_leaf, make_root


def ago(**more: float) -> str:
    """A time that has passed."""
    return (datetime.now(UTC) - timedelta(**more)).isoformat()


def status(**changes: Any) -> Break:
    """Another history of the backup target."""

    def change(said: str) -> str:
        known = json.loads(said)
        for name in known["targets"]:
            known["targets"][name].update(changes)
        return json.dumps(known)

    return text(BACKUP_STATUS, change)


def config(change: Callable[[dict[str, Any]], Any]) -> Break:
    """Another configuration of the agent."""

    def changed(said: str) -> str:
        known = json.loads(said)
        change(known)
        return json.dumps(known)

    return text(layout.CONFIG_FILE, changed)


def _folder(known: dict[str, Any]) -> None:
    target = known["backup"]["targets"][0]
    known["backup"]["targets"] = [{"kind": "directory", "name": target["name"], "path": "/srv"}]


def certificate(make: Callable[[MutationBench], Signed]) -> Break:
    """Another certificate for the proxy."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        pair = nginx_tls.pair(nginx_tls.INSTANCE)
        paths = (CERTIFICATE, KEY) if bench.kind == "caddy" else (pair.certificate, pair.key)
        old = [bench.read(path) for path in paths]
        made = make(bench)
        # Caddy reads its files anew only when its configuration has changed.
        config = bench.read(bench.edge_config)
        try:
            _put(bench, paths, (made.pem, made.key_pem), config + "\n# mutated\n")
            yield
        finally:
            _put(bench, paths, old, config)

    return broken


def _put(bench: MutationBench, paths: Any, texts: Any, config: str) -> None:
    for path, content in zip(paths, texts, strict=True):
        bench.write(path, content)
    bench.write(bench.edge_config, config)
    bench.sh(f"systemctl restart {bench.kind}")


#: What is asked of the builder's own name, when its certificate is for another one only.
_ON_THE_BUILDERS_NAME = (
    "authentication.sign-up-closed builder.dangerous-routes-closed builder.gated "
    "builder.no-way-around builder.setup-closed disclosure.quiet-headers origin.no-foreign-reads "
    "proxy.dashboard-gated secrets.bundles-clean"
)
#: No password goes to a proxy that shows a bad certificate; what the host sees is seen there.
_NOT_LOGGED_IN = "builder.not-framed preview.sandboxed proxy.same-origin-works proxy.forwarded-for"


def _names(bench: MutationBench) -> list[str]:
    return [bench.domain, bench.builder]


def _old(days: float) -> Callable[[MutationBench], Signed]:
    now = datetime.now(UTC) - timedelta(days=days)
    return lambda bench: make_leaf(_names(bench), bench.authority, now)


CARE = (
    mutation("old backup", "backups.fresh", status(last_success=ago(hours=40))),
    mutation("backup of tomorrow", "backups.fresh", status(last_success=ago(hours=-40))),
    mutation("never backed up", "backups.fresh", moved(BACKUP_STATUS), blinds="backups.verified"),
    mutation("verified never", "backups.verified", status(first_success=ago(days=9))),
    mutation("verified long ago", "backups.verified", status(last_verified=ago(days=10))),
    mutation(
        "a bad copy",
        "backups.verified",
        status(last_verify_failure=ago(hours=1), verify_error="half a file"),
    ),
    mutation("no schedule", "backups.scheduled", moved(layout.CRON_FILE)),
    mutation(
        "schedule commented out",
        "backups.scheduled",
        text(layout.CRON_FILE, lambda said: said.replace("17 3 *", "#17 3 *")),
    ),
    mutation(
        "schedule of another target",
        "backups.scheduled",
        text(layout.CRON_FILE, lambda said: said.replace("--target lab", "--target other")),
    ),
    mutation(
        "not sealed",
        "backups.encrypted",
        config(lambda known: known["backup"]["targets"][0].update(encryption="none")),
    ),
    mutation("only on the host", "backups.off-host", config(_folder)),
    mutation(
        "a backup hangs",
        "backups.not-stuck",
        new_file(str(Places().lock), "process 1, since 2026-01-01 00:00:00 UTC"),
    ),
    mutation(
        "nobody is told", "monitoring.alerts", config(lambda known: known["backup"].pop("notify"))
    ),
    mutation(
        "the hook's address is gone",
        "monitoring.alerts",
        moved(f"{layout.SECRETS_DIR}/backup-notify-webhook-url"),
    ),
    mutation("no nightly look", "monitoring.nightly-check", moved(layout.CHECKS_CRON_FILE)),
    mutation(
        "nightly looks off",
        "monitoring.nightly-check",
        config(lambda known: known.setdefault("checks", {}).update(enabled=False)),
    ),
    mutation(
        "certificate expired", "https.certificate", certificate(_old(100)), blinds=_NOT_LOGGED_IN
    ),
    mutation("certificate overdue", "https.certificate", certificate(_old(80))),
    mutation(
        "certificate of somebody",
        "https.certificate",
        certificate(lambda bench: make_leaf(["x.test"], bench.authority)),
        blinds=_NOT_LOGGED_IN,
    ),
    mutation(
        "certificate of nobody",
        "https.certificate",
        certificate(lambda bench: make_leaf(_names(bench), make_root())),
        blinds=_NOT_LOGGED_IN,
    ),
    mutation(
        "certificate of one name",
        "https.certificate",
        certificate(lambda bench: make_leaf([bench.domain], bench.authority)),
        blinds=f"{_NOT_LOGGED_IN} {_ON_THE_BUILDERS_NAME}",
    ),
    mutation(
        "a full disk",
        "monitoring.disk-space",
        new_file(
            "/usr/local/sbin/df",
            "#!/bin/sh\necho x\necho /dev/sda1 9 9 0 97% /",
            "chmod 755 /usr/local/sbin/df 2>/dev/null || true",
        ),
    ),
    # The journal forgets only as a whole, so this one comes last.
    mutation(
        "secret in the journal",
        "secrets.not-in-journal",
        shell(
            f'logger -t mutation "login $(cat {layout.SECRETS_DIR}/{layout.BASIC_COOKIE})"; '
            "journalctl --sync",
            "journalctl --rotate -q; sleep 2; journalctl -q --vacuum-time=1s; logger mended; "
            "journalctl --sync",
        ),
    ),
)
