"""Booting PocketBase on a restored copy, shut away from everything.

A process of our own boots it (`boot_inside`), in a network namespace that has nothing but its own
loopback: whatever hooks of the copy's settings, records or a hostile backup would do, no packet
leaves it. Where the system allows no such namespace, nothing is booted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import tinykit_ops
from tinykit_ops.backup.manifest import Upload
from tinykit_ops.errors import UnavailableError

BINARY = "pocketbase"
ORDER = "order.json"
BOOT_SECONDS = 900.0  #: for all of it; a big copy may take PocketBase minutes to migrate


def boot_copy(
    binary: Path,
    folder: Path,
    rows: Mapping[str, int],
    sample: Upload | None,
    *,
    hooks: bool = False,
) -> list[str]:
    """Boot on `folder/pb_data`, log in, count rows, read one upload. Returns what is wrong.

    The copy is changed by this: give it one that nobody needs any more.

    Args:
        rows: how many each collection must have.
        sample: an upload that a record names, to be read through the API.
        hooks: load those in `folder/hooks` too; only ours, never those of a stranger's snapshot.

    Raises:
        UnavailableError: this system does not let us shut it away.
    """
    shutil.copyfile(binary, folder / BINARY)  # the user inside may not reach the original
    (folder / BINARY).chmod(0o755)
    sampled = asdict(sample) if sample else None
    order = {"rows": dict(rows), "sample": sampled, "hooks": hooks}
    (folder / ORDER).write_text(json.dumps(order))
    words = [
        *_shut_away(),
        sys.executable,
        "-P",
        "-m",
        "tinykit_ops.backup.boot_inside",
        str(folder),
    ]
    try:
        done = subprocess.run(
            words,
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": str(folder),
                "PYTHONPATH": str(Path(tinykit_ops.__file__).parents[1]),  # as the agent's command
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BOOT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"boot: not done within {BOOT_SECONDS:g} seconds"]
    if done.returncode != 0:
        raise UnavailableError(
            "The copy could not be booted shut away from the network",
            where=done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "",
            hint="verify as root; `--no-boot` leaves the boot out, and proves less",
        )
    faults: list[str] = json.loads(done.stdout)
    return faults


def _shut_away() -> list[str]:
    """A new network; and new process ids, so that nothing of it outlives the command."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--"]
