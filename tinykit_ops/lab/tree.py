"""Base trees: a bare Debian per release, made once, shared by all hosts and never written to.

As a provider's cloud image, and nothing more: systemd with networkd, an SSH server, sudo, Python
(cloud-init brings it), certificates. What tinykit needs, the deploys install; most of that is at
hand as apt keeps what it fetched, so that fifty hosts do not ask a mirror for the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tinykit_ops.deploy.packages import USUAL
from tinykit_ops.errors import BusyError
from tinykit_ops.lab import cgroups
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.errors import CommandError
from tinykit_ops.lab.locks import locked
from tinykit_ops.lab.sources import debian_sources
from tinykit_ops.lab.surroundings import Surroundings, of_this_machine

PACKAGES = [
    *("systemd", "systemd-sysv", "libpam-systemd", "dbus", "openssh-server", "sudo", "python3"),
    *("iproute2", "iputils-ping", "procps", "netbase", "ca-certificates"),
]
SUDO_USER = "ops"
RECIPE = 2  #: raise it when the lines below change what a tree holds
BUILD_SECONDS = 1200.0
BUILD_PAUSES = (20.0, 60.0)
LOCK_SECONDS = 900.0
REMOVE_SECONDS = 60.0

_FINISH = f"""
set -eu
update-ca-certificates >/dev/null 2>&1
useradd --create-home --shell /bin/bash {SUDO_USER}
echo '{SUDO_USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{SUDO_USER}
chmod 0440 /etc/sudoers.d/{SUDO_USER}
systemctl enable systemd-networkd.service >/dev/null 2>&1
apt-get clean
apt-get -qq -y --no-install-recommends --download-only install {" ".join(USUAL)} >/dev/null
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/hostname /etc/resolv.conf
rm -f /etc/apt/apt.conf.d/99mmdebstrap
touch /etc/machine-id
echo LANG=C.UTF-8 > /etc/default/locale
"""


def tree_name(codename: str, surroundings: Surroundings, sources: list[str]) -> str:
    """What the tree is called: the release, and a hash of everything that it is made from."""
    files = {path: hashlib.sha256(data).hexdigest() for path, data in surroundings.files.items()}
    recipe = [RECIPE, codename, PACKAGES, _FINISH, sources, sorted(files.items())]
    return f"{codename}-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]}"


def ensure_tree(codename: str, cache: Path, cgroup: str, progress: Callable[[str], None]) -> Path:
    """Returns the base tree of a release; makes it (some 20 to 60 s) unless it is in the cache.

    Args:
        cache: the folder of all trees.
        cgroup: where the work runs, so that `lab down` can end it.
    Raises: CommandError when mmdebstrap fails.
    """
    surroundings = of_this_machine()
    sources = debian_sources(codename)
    tree = cache / tree_name(codename, surroundings, sources)
    if tree.is_dir():
        return tree
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache, wait_seconds=LOCK_SECONDS):
        _remove_partial(cache)
        if not tree.is_dir():
            progress(f"making the base tree of {codename} (once; kept in {cache})")
            _build(tree, codename, surroundings, sources, cgroup)
    return tree


def remove_partial(cache: Path) -> None:
    """Remove half-made trees that a crash left, unless somebody is making one right now."""
    if cache.is_dir() and any(cache.glob(".partial-*")):
        with suppress(BusyError), locked(cache):
            _remove_partial(cache)


def _remove_partial(cache: Path) -> None:
    for leftover in cache.glob(".partial-*"):
        deadline = time.monotonic() + REMOVE_SECONDS
        while leftover.exists():
            # What a killed `lab up` began may write on until `lab down` ends it.
            shutil.rmtree(leftover, ignore_errors=time.monotonic() < deadline)


def _build(
    tree: Path, codename: str, surroundings: Surroundings, sources: list[str], cgroup: str
) -> None:
    partial = tree.with_name(f".partial-{tree.name}")
    partial.mkdir(mode=0o755)
    extra, root, finish = partial / "files", partial / "root", partial / "finish.sh"
    write_files(extra, surroundings)
    finish.write_text(_FINISH)
    options = [
        *("--variant=minbase", "--format=directory", f"--include={','.join(PACKAGES)}"),
        *(f"--skip=cleanup/apt/{kept}" for kept in ("lists", "cache")),
        *(f"--aptopt={extra / path}" for path in surroundings.apt_files),
        f'--customize-hook=tar -C "{extra}" -c . | tar -C "$1" --no-overwrite-dir -x',
        f'--customize-hook=chroot "$1" sh < "{finish}"',
    ]
    bootstrap(codename, root, options, sources, cgroup)
    root.rename(tree)
    shutil.rmtree(partial)


def bootstrap(
    codename: str, target: Path, options: list[str], sources: list[str], cgroup: str
) -> None:
    """Make a Debian with mmdebstrap; its scratch files go beside `target`.

    A mirror that is away for a minute is waited for.

    Args:
        cgroup: where the work runs, so that `lab down` can end it.
    Raises: CommandError.
    """
    for pause in BUILD_PAUSES:
        try:
            return _bootstrap(codename, target, options, sources, cgroup)
        except CommandError:
            time.sleep(pause)
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    return _bootstrap(codename, target, options, sources, cgroup)


def _bootstrap(
    codename: str, target: Path, options: list[str], sources: list[str], cgroup: str
) -> None:
    cgroups.create(f"{cgroup}/build")
    words = ["unshare", "--mount", "--propagation", "slave", "mmdebstrap", "--mode=root"]
    words += [*options, codename, str(target)]
    # Sources come on standard input, for they may hold a password.
    text = "".join(f"{line}\n" for line in sources) or None
    if text:
        words.append("-")
    try:
        run(
            cgroups.inside(f"{cgroup}/build", words),
            input_text=text,
            timeout=BUILD_SECONDS,
            env={**os.environ, "TMPDIR": str(target.parent)},
        )
    finally:
        cgroups.end(f"{cgroup}/build")  # also what an interrupted build left running


def write_files(folder: Path, surroundings: Surroundings) -> None:
    """Write this machine's settings for fetching packages below a new folder."""
    folder.mkdir(mode=0o755)
    for path, data in surroundings.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o600 if path in surroundings.private else 0o644
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(data)
