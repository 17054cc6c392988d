"""The root file system that containers of lab hosts stand on: there is no registry to ask.

What a bare Debian image of a registry holds, with the one package that our images need.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tinykit_ops.lab.locks import locked
from tinykit_ops.lab.sources import debian_sources
from tinykit_ops.lab.surroundings import of_this_machine
from tinykit_ops.lab.tree import LOCK_SECONDS, bootstrap, write_files

CODENAME = "trixie"  #: whatever the host is: that is what containers are for
PACKAGES = ("libstdc++6",)
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


def base_image_path(cache: Path) -> Path:
    """Where the archive is, or will be: named by what it is made from."""
    recipe = [CODENAME, PACKAGES, _LEFT_OUT]
    digest = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]
    return cache / f"base-image-{CODENAME}-{digest}.tar"


def ensure_base_image(cache: Path, cgroup: str, progress: Callable[[str], None]) -> Path:
    """Returns the archive; makes it (half a minute) unless it is in the cache.

    Raises: CommandError when mmdebstrap fails.
    """
    path = base_image_path(cache)
    if path.is_file():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache, wait_seconds=LOCK_SECONDS):
        if not path.is_file():
            progress(f"making the base image of containers (once; kept in {cache})")
            _build(path, cgroup)
    return path


def _build(path: Path, cgroup: str) -> None:
    partial = path.with_name(f".partial-{path.stem}")
    partial.mkdir(mode=0o755)
    extra, archive = partial / "files", partial / "base.tar"
    surroundings = of_this_machine()
    write_files(extra, surroundings)
    options = [
        *("--variant=essential", "--format=tar", f"--include={','.join(PACKAGES)}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        *(f"--aptopt={extra / each}" for each in surroundings.apt_files),
        '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    ]
    bootstrap(CODENAME, archive, options, debian_sources(CODENAME), cgroup)
    archive.rename(path)
    shutil.rmtree(partial)
