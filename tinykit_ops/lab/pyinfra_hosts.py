"""What `inventories/lab.py` hands to pyinfra, chosen by environment variables.

TINYKIT_LAB        the lab ("default")
TINYKIT_LAB_USER   who logs in: root, or ops, who uses sudo ("root")
TINYKIT_LAB_HOSTS  names of the hosts wanted, "tk-1,tk-2" (all)
TINYKIT_LAB_APP    a release archive of tinykit (the contract app, built for the occasion)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.lab.contract import build_contract_release, stated_commit
from tinykit_ops.lab.inventory import HostData, lab_hosts, names_in
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.locks import locked
from tinykit_ops.lab.names import DEFAULT_LAB
from tinykit_ops.settings.pyinfra_error import RunStoppedError

BUILD_SECONDS = 600.0


def hosts_for_pyinfra(environ: Mapping[str, str] | None = None) -> list[tuple[str, HostData]]:
    """The lab's hosts, as the variables above say. Raises: RunStoppedError."""
    env = os.environ if environ is None else environ
    name = env.get("TINYKIT_LAB") or DEFAULT_LAB
    try:
        return lab_hosts(
            name,
            user=env.get("TINYKIT_LAB_USER") or "root",
            only=names_in(env.get("TINYKIT_LAB_HOSTS", "")),
            app=_given_app(env) or contract_release(Lab.load(name)),
        )
    except TinykitOpsError as error:
        raise RunStoppedError(error) from None


def contract_release(lab: Lab) -> Path:
    """The contract app as a release archive, built once a lab (some 10 s) and kept there."""
    folder = lab.folder / "app" / stated_commit()[:12]
    with locked(folder, wait_seconds=BUILD_SECONDS):
        for archive in folder.glob("*.tar.zst"):
            return archive
        return build_contract_release(
            folder, report=lambda line: click.echo(f"contract app: {line}", err=True)
        ).archive


def _given_app(env: Mapping[str, str]) -> Path | None:
    given = env.get("TINYKIT_LAB_APP")
    if not given:
        return None
    path = Path(given).absolute()
    if not path.is_file():
        raise UsageError(
            "There is no such release archive.",
            where=f"TINYKIT_LAB_APP={given}",
            hint="tinykit-ops release build makes one; unset it to use the contract app.",
        )
    return path
