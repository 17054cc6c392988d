"""A verified snapshot of an install that runs, and has no hook of ours.

PocketBase's own backup is the only copy that it lets be made from outside while it runs; its
database is never opened by anybody else. The zip becomes a snapshot as any other, which is booted.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops.adopt.model import Install
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.beneath import open_file
from tinykit_ops.backup.dashboard_zip import unpack
from tinykit_ops.backup.places import Places
from tinykit_ops.errors import AccessError, TinykitOpsError, UnavailableError
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseUnreachableError
from tinykit_ops.upgrade.snapshots import Snapshots

ZIP_SECONDS = 2 * 3600.0
POLL_SECONDS = 1.0
_NO_LOGIN = (
    "give a file of two lines, e-mail address and password of a superuser, that only you can read: "
    "--superuser-file FILE"
)


def take_snapshot(
    config: AgentConfig, install: Install, folder: Path, login: tuple[str, str] | None
) -> str:
    """Let PocketBase back itself up, and prove that this comes back. Returns the snapshot's id.

    Args:
        folder: root's; the snapshot stays in it.
        login: of a superuser; else that of tinykit's setup marker.

    Raises:
        AccessError: nobody knows a login.
        TinykitOpsError: there is no snapshot, or it does not come back.
    """
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    name = f"tinykit_ops_adopt_{datetime.now(UTC):%Y%m%d%H%M%S}.zip"
    with PocketBase(install.pocketbase_url, timeout=ZIP_SECONDS) as server:
        _log_in(server, install, login)
        try:
            unpack(_zip(server, Path(install.data), name), unpacked)
        finally:
            # tinykit's marker is in the zip, with a password in plain text.
            server.call("DELETE", f"/api/backups/{name}")
    try:
        return Snapshots(config, _places(unpacked, folder)).take()
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _places(unpacked: Path, folder: Path) -> Places:
    """The copy belongs to no server: nobody listens there, and no unit is called so."""
    return replace(
        Places(),
        pocketbase_url="http://127.0.0.1:1",
        pocketbase_unit="none.service",
        data=unpacked,
        snapshots=folder / "none",
        state=folder / "state",  # of its own: snapshots of upgrades are tidied away
    )


def _zip(server: PocketBase, data: Path, name: str) -> Path:
    """Ask for the backup, and wait until it is there: a long one outlives its request."""
    file = data / "backups" / name
    try:
        server.call("POST", "/api/backups", json={"name": name})
    except PocketBaseUnreachableError:
        until = time.monotonic() + ZIP_SECONDS
        while not file.is_file() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
    if not file.is_file():
        raise UnavailableError(
            "PocketBase backed itself up, but not into its folder",
            where=str(file),
            hint="are its backups kept in S3? turn that off in the dashboard for the adoption",
        )
    return file


def _log_in(server: PocketBase, install: Install, login: tuple[str, str] | None) -> None:
    found = login or _marked(Path(install.marker))
    if found is None:
        raise AccessError(
            "No superuser's login is known, and without one PocketBase does not back itself up",
            where=install.marker or install.data,
            hint=_NO_LOGIN,
        )
    try:
        server.login_superuser(*found)
    except AccessError as error:
        raise AccessError(error.what, where=error.where, hint=_NO_LOGIN) from None
    except TinykitOpsError as error:
        if getattr(error, "status", 0) in (400, 401, 403):
            raise AccessError(error.what, where=error.where, hint=_NO_LOGIN) from None
        raise


def _marked(marker: Path) -> tuple[str, str] | None:
    """The login that tinykit's setup wrote down."""
    try:
        with open_file(marker) as stream:
            told = json.loads(stream.read(65536))
    except (OSError, ValueError, TinykitOpsError):
        return None
    if not isinstance(told, dict):
        return None
    email, password = told.get("admin_email"), told.get("admin_password")
    return (str(email), str(password)) if email and password else None
