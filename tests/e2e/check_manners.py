"""Looking leaves no trace: nothing on the instance changes, and no secret of the host is told."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator

from mutation_bench import MutationBench

from tinykit_ops import layout
from tinykit_ops.report import formats

#: Where a host keeps its secrets, each as it would be told by mistake.
_SECRETS = f"""
for file in {layout.SECRETS_DIR}/*; do cat $file; echo; done
sed -n 's/^[A-Z_]*\\(KEY\\|PASSWORD\\)=//p' {layout.TINYKIT_ENVIRONMENT}
"""
_KEPT = (layout.CHECKS_STATE, "/var/lib/prometheus/node-exporter")
_LAST_VISIT = re.compile(r'"last_seen": "[^"]*"')
SHORTEST = 12  #: characters; what is shorter is no secret but a word


def fingerprint(bench: MutationBench) -> str:
    """A hash over every collection with its rules, every row of `_tk_*`, and the settings.

    Without the time of the last visit, which tinykit itself notes at every page, whoever asks.
    """
    collections = bench.pocketbase("GET", "/api/collections?perPage=500&sort=name")["items"]
    mine = [each["name"] for each in collections if each["name"].startswith("_tk_")]
    rows = {
        name: bench.pocketbase("GET", f"/api/collections/{name}/records?perPage=500&sort=id")
        for name in (*mine, "users", "_superusers")
    }
    for row in rows["_tk_settings"]["items"]:
        _in_order(row["value"])
    said = [collections, rows, bench.pocketbase("GET", "/api/settings")]
    text = _LAST_VISIT.sub("", json.dumps(said, sort_keys=True))
    return hashlib.sha256(text.encode()).hexdigest()


def _in_order(value: object) -> None:
    """The hosts that were asked for, which tinykit has in the order of their last visits."""
    if isinstance(value, dict) and "domains" in value:
        value["domains"].sort(key=lambda one: one["hostname"])


def secrets_of(bench: MutationBench) -> set[str]:
    """Every line of every secret of the host, and the passwords that this machine knows."""
    lines = {line.strip().strip("'\"") for line in bench.sh(_SECRETS).splitlines()}
    lines |= {each.password for each in bench.logins}
    return {line for line in lines if len(line) >= SHORTEST}


def told_by_mistake(bench: MutationBench) -> Iterator[str]:
    """Look on the host in every format and as every night. Yields where a secret is told."""
    secrets, since = secrets_of(bench), bench.sh("date +%s").strip()
    outputs = {
        f"--format {name}": _agent(bench, "--host", f"--format={name}") for name in formats()
    }
    outputs["scheduled"] = _agent(bench, "scheduled")
    outputs["history"] = _agent(bench, "history")
    outputs["the journal"] = bench.sh(
        f"journalctl --sync; journalctl --no-pager -o cat --since=@{since}"
    )
    outputs["what is kept"] = bench.sh(f"cat {_KEPT[0]}/*; cat {_KEPT[1]}/*.prom || true")
    for name, said in outputs.items():
        if len(said) < 20:
            yield f"{name} says nothing"
        if any(secret in said for secret in secrets):
            yield f"{name} tells a secret"


def _agent(bench: MutationBench, *words: str) -> str:
    command = shlex.join([layout.AGENT_COMMAND, "check", *words])
    return bench.sh(f"{command} 2>&1 || true")
