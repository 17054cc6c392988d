"""One throw-away tinykit (real or contract app) with its own PocketBase, isolated from all others.

tinykit hard-codes PocketBase on 127.0.0.1:8091, so each instance gets a network namespace of its
own with nothing but loopback. The app listens on a socket that was opened *outside* and handed
over (adapter-node's socket activation), so that it can be reached from here under a free port.
Everything ends with the `with` block, or with this process.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tinykit_ops.artifacts import local_binary
from tinykit_ops.errors import UnavailableError

START_SECONDS = 120.0
_WRAPPER = """#!/bin/sh
# tinykit calls PocketBase without directories, which the packaged build needs.
cd "{folder}" && exec "{pocketbase}" "$@" --dir="{folder}/pb_data" \\
  --migrationsDir="{folder}/pb_migrations" --hooksDir="{folder}/pb_hooks" \\
  --publicDir="{folder}/pb_public"
"""

# systemd's way to hand a listening socket to a program: file descriptor 3 and two variables.
_HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execvp(sys.argv[2], [sys.argv[2], "build/index.js"])
"""


@dataclass
class Instance:
    """A running instance: its URL from here, its folder, and its two processes."""

    url: str
    folder: Path
    namespace: int  #: process id whose network namespace it lives in
    app: subprocess.Popen[bytes]
    pocketbase: subprocess.Popen[bytes]

    @property
    def marker(self) -> Path:
        """tinykit's "setup is done" file."""
        return self.folder / "pocketbase" / "pb_data" / ".setup_complete"

    def log(self) -> str:
        """What the app has written so far."""
        return (self.folder / "app.log").read_text(errors="replace")


@contextmanager
def running(
    app: Path,
    folder: Path,
    pocketbase: Path,
    *,
    node: str | None = None,
    environment: Mapping[str, str] | None = None,
    superuser: tuple[str, str] | None = None,
) -> Iterator[Instance]:
    """Run a built app with a fresh PocketBase until the block ends.

    Args:
        app: folder with build/, node_modules/ and pocketbase/pb_migrations/; only read.
        folder: empty or missing folder for data, logs and tinykit's working directory.
        pocketbase: the PocketBase binary.
        node: the Node.js to run with; the one that hosts get, when left out.
        environment: more variables for the app.
        superuser: e-mail and password; claims the server by its environment and an empty marker
            before it starts. Without it nobody has claimed it.

    Raises UnavailableError without root or util-linux, or when the app does not come up.
    """
    _require_tools()
    _lay_out(app, folder, pocketbase)
    environment = dict(environment or {})
    program = node or str(local_binary("node"))
    if superuser:
        environment |= _claim(folder, *superuser)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        namespace = stack.enter_context(_namespace())
        inside = ["nsenter", f"--net=/proc/{namespace}/ns/net"]
        database = stack.enter_context(
            _process(
                [*inside, str(_wrapper(folder)), "serve", "--http=127.0.0.1:8091"],
                folder,
                folder / "pocketbase.log",
            )
        )
        server = stack.enter_context(
            _process(
                [*inside, sys.executable, "-c", _HAND_OVER, str(listener.fileno()), program],
                folder,
                folder / "app.log",
                environment=environment,
                handed_over=listener.fileno(),
            )
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        instance = Instance(url, folder, namespace, server, database)
        _wait_until_ready(instance)
        yield instance


def _require_tools() -> None:
    missing = [name for name in ("unshare", "nsenter", "setpriv") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise UnavailableError(
            "An isolated instance needs root and util-linux on Linux.",
            where=f"missing: {', '.join(missing) or 'root'}",
            hint="Run as root on Debian; `apt install util-linux` brings the programs.",
        )


def _lay_out(app: Path, folder: Path, pocketbase: Path) -> None:
    home = folder / "pocketbase"
    for name in ("pb_data", "pb_hooks", "pb_public"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (folder / "build").symlink_to(app.resolve() / "build")
    # A copy: PocketBase writes a migration beside the others when a collection is changed.
    shutil.copytree(app / "pocketbase" / "pb_migrations", home / "pb_migrations")
    wrapper = _wrapper(folder)
    wrapper.write_text(_WRAPPER.format(folder=home.resolve(), pocketbase=pocketbase.resolve()))
    wrapper.chmod(0o755)


def _claim(folder: Path, email: str, password: str) -> dict[str, str]:
    words = [str(_wrapper(folder)), "superuser", "upsert", email, password]
    subprocess.run(words, check=True, capture_output=True)  # a throw-away password
    marker = folder / "pocketbase" / "pb_data" / ".setup_complete"
    marker.write_text("{}")
    return {"POCKETBASE_ADMIN_EMAIL": email, "POCKETBASE_ADMIN_PASSWORD": password}


def _wrapper(folder: Path) -> Path:
    return folder.resolve() / "pocketbase" / "pocketbase"


@contextmanager
def _namespace() -> Iterator[int]:
    """A process that holds a network namespace with loopback up; yields its process id."""
    words = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"]
    holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *words], stdout=subprocess.PIPE)
    try:
        if holder.stdout is None or holder.stdout.readline() != b"up\n":
            raise UnavailableError(
                "A network namespace cannot be made here.",
                where="unshare --net",
                hint="Inside a container, start it with CAP_SYS_ADMIN.",
            )
        yield holder.pid
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout:
            holder.stdout.close()


@contextmanager
def _process(
    words: list[str],
    folder: Path,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    handed_over: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_ENV": "production"}
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *words],
            cwd=folder,
            env=env | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=() if handed_over is None else (handed_over,),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(instance: Instance) -> None:
    """Ask PocketBase for its health through the app, so that both are known to be up."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            answer = requests.get(f"{instance.url}/_pb/api/health", timeout=5)
            if answer.status_code == 200:
                return
        except requests.RequestException:
            pass
        if instance.app.poll() is not None or instance.pocketbase.poll() is not None:
            break
        time.sleep(0.1)
    lines = "\n".join(instance.log().splitlines()[-10:])
    raise UnavailableError(
        f"The instance did not come up. The app's last lines:\n{lines}",
        where=str(instance.folder),
        hint="pocketbase.log and app.log in that folder tell more.",
    )
