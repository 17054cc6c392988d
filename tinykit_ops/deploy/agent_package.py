"""The agent as it travels to a host: this package's own source, and its pinned requirements.

The source goes as one small tar, the same bytes for the same source, so that its hash names the
installation and a second run has nothing to do. Packages are compiled when they are first imported:
most of their modules never are. The environment with the requirements is shared by
all versions that need the same ones, so an update of the agent installs no package anew.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tinykit_ops
from tinykit_ops import layout
from tinykit_ops.artifacts import PIP_PAUSES, PIP_RETRIES
from tinykit_ops.deploy import parcel
from tinykit_ops.deploy.templates import ROOT

REQUIREMENTS = ROOT / "requirements" / "agent.txt"

_INSTALL = """\
set -eu
umask 022
mkdir -p {lock_dir}
umask 077; exec 9>>{lock}; umask 022  # who may open the lock may hold it, so it is root's alone
flock -w 600 9
home={home}; build=$home/builds/{build}; venv=$home/venvs/{venv}
{unpack}
mkdir -p "$home/builds" "$home/venvs"
if ! [ -e "$venv/.complete" ] || ! "$venv/bin/python" -c 'import click' 2>/dev/null; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  fetch() {{
    TMPDIR="$venv" "$venv/bin/python" -m pip install --quiet --no-input --no-deps --no-cache-dir \\
      --disable-pip-version-check --no-compile --only-binary=:all: --require-hashes \\
      --retries={retries} -r "$stage/requirements.txt"
  }}
  fetch{again}
  sync -f "$venv"  # or a power cut could leave empty files behind the word "complete"
  touch "$venv/.complete"
fi
if ! [ -d "$build" ]; then
  rm -rf "$build.new"; mkdir "$build.new"
  cp -R "$stage/tinykit_ops" "$build.new/"
  ln -s "$venv" "$build.new/venv"
  "$venv/bin/python" -m compileall -q "$build.new/tinykit_ops"
  sync -f "$build.new"
  mv -T "$build.new" "$build"
fi
# The version before stays until the next one comes: a backup may be running with it.
old_build=$(basename "$(readlink "$home/current" || echo {build})")
old_venv=$(basename "$(readlink "$home/builds/$old_build/venv" || echo {venv})")
ln -sfn "builds/{build}" "$home/.current.new" && mv -fT "$home/.current.new" "$home/current"
find "$home/builds" -mindepth 1 -maxdepth 1 ! -name {build} ! -name "$old_build" -exec rm -rf {{}} +
find "$home/venvs" -mindepth 1 -maxdepth 1 ! -name {venv} ! -name "$old_venv" -exec rm -rf {{}} +
"""


@cache
def build_id() -> str:
    """The name of this version's installation: a hash over source and requirements."""
    return _short_hash(_source_tar() + REQUIREMENTS.read_bytes())


def install_script() -> str:
    """The shell script that installs the agent; reads `payload()` on standard input."""
    return _INSTALL.format(
        unpack=parcel.UNPACK,
        home=shlex.quote(layout.AGENT_HOME),
        lock=shlex.quote(layout.DEPLOY_LOCK),
        lock_dir=shlex.quote(layout.LOCK_DIR),
        build=build_id(),
        venv=_short_hash(REQUIREMENTS.read_bytes()),
        retries=PIP_RETRIES,
        again="".join(f" || {{ sleep {pause}; fetch; }}" for pause in PIP_PAUSES),
    )


@cache
def payload() -> str:
    """Source and requirements as one tar, in base64."""
    return parcel.as_text(_source_tar())


@cache
def _source_tar() -> bytes:
    package = _package()
    sources = ((f"tinykit_ops/{path.relative_to(package)}", path) for path in _source_files())
    files = [("requirements.txt", REQUIREMENTS), *sources]
    return parcel.pack(((name, path.read_bytes()) for name, path in files), mode=0o644)


def _source_files() -> Iterator[Path]:
    files = (path for path in sorted(_package().rglob("*")) if path.is_file())
    return (path for path in files if "__pycache__" not in path.parts)


def _package() -> Path:
    return Path(tinykit_ops.__file__).parent


def _short_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
