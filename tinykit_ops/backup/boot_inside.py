"""The inside of `boot`: runs in a network namespace of its own, prints its findings as JSON.

    python -m tinykit_ops.backup.boot_inside FOLDER

The instance's own hooks are loaded only when the order says so. One hook of ours makes a throw-away
superuser, so that no password is in argv, and turns off whatever would act on the world: mail, its
own backups, cron.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tinykit_ops.backup.boot import BINARY, ORDER
from tinykit_ops.backup.boot_part import HOOKS
from tinykit_ops.backup.manifest import Upload
from tinykit_ops.backup.restore import DATA
from tinykit_ops.errors import TinykitOpsError, UnavailableError
from tinykit_ops.pocketbase.client import PocketBase

EMAIL = "verifier@tinykit-ops.invalid"
NOBODY = 65534
HEALTHY_SECONDS = 60.0
_SYSTEM = {"_superusers", "_authOrigins", "_externalAuths", "_mfas", "_otps"}
_HOOK = """\
onBootstrap((e) => {
  e.next()
  const given = JSON.parse(toString($os.readFile(`${__hooks}/superuser.json`)))
  const settings = e.app.settings()
  settings.smtp.enabled = false
  settings.backups.cron = ""
  settings.s3.enabled = false
  e.app.save(settings)
  const superuser = new Record(e.app.findCollectionByNameOrId("_superusers"))
  superuser.setEmail(given.email)
  superuser.setPassword(given.password)
  e.app.save(superuser)
  e.app.cron().removeAll()
})
"""


def main(folder: Path) -> list[str]:
    """Boot, look, end. Returns what is wrong."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    order = json.loads((folder / ORDER).read_text())
    sample = Upload(**order["sample"]) if order["sample"] else None
    password = secrets.token_urlsafe(24)
    if order["hooks"]:
        shutil.copytree(folder / HOOKS, folder / "verify-hooks")
    _write_hook(folder / "verify-hooks", password)
    if _is_root():
        _give_away(folder)
    try:
        with _serving(folder) as server:
            server.login_superuser(EMAIL, password)
            return [*_count_rows(server, order["rows"]), *_read_upload(server, sample)]
    except TinykitOpsError as error:
        return [f"boot: {error.what}"]


def _is_root() -> bool:
    """Root of the machine, not only of a user namespace, where there is nobody else."""
    return os.geteuid() == 0 and "4294967295" in Path("/proc/self/uid_map").read_text()


def _write_hook(hooks: Path, password: str) -> None:
    hooks.mkdir(mode=0o700, exist_ok=True)
    secret = hooks / "superuser.json"
    secret.touch(mode=0o600)
    secret.write_text(json.dumps({"email": EMAIL, "password": password}))
    (hooks / "verify.pb.js").write_text(_HOOK)


def _give_away(folder: Path) -> None:
    """The server runs as nobody, so that even a hostile copy can do little."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


@contextmanager
def _serving(folder: Path) -> Iterator[PocketBase]:
    port = _free_port()
    log = folder / "pocketbase.log"
    command = [
        str(folder / BINARY),
        "serve",
        f"--http=127.0.0.1:{port}",
        f"--dir={folder / DATA}",
        f"--migrationsDir={folder / 'migrations'}",
        f"--hooksDir={folder / 'verify-hooks'}",
        f"--publicDir={folder / 'none'}",
        "--automigrate=false",
    ]
    as_root = _is_root()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=NOBODY if as_root else None,
            group=NOBODY if as_root else None,
            extra_groups=[] if as_root else None,
        )
    try:
        server = PocketBase(f"http://127.0.0.1:{port}", timeout=60)
        try:
            server.wait_until_healthy(HEALTHY_SECONDS, lambda: process.poll() is not None)
        except TinykitOpsError as error:
            said = log.read_text(errors="replace")[-500:].strip()
            raise UnavailableError(f"{error.what}; it said: {said or 'nothing'}") from None
        with server:
            yield server
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _count_rows(server: PocketBase, rows: Mapping[str, int]) -> Iterator[str]:
    """PocketBase's own collections are left out: SQLite counted them before we logged in."""
    for name, expected in sorted(rows.items()):
        if name in _SYSTEM:
            continue
        found = server.count(name)
        if found != expected:
            yield f"boot: collection {name} shows {found} rows instead of {expected}"


def _read_upload(server: PocketBase, sample: Upload | None) -> Iterator[str]:
    if sample is None:
        return
    collection, record, name = sample.path.split("/")
    size, sha256 = server.file_digest(collection, record, name)
    if (size, sha256) != (sample.size, sample.sha256):
        yield f"boot: upload {sample.path} comes back different over the API"


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
