"""`upload_release`: the archive to the host, unless its release is there."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from pathlib import Path

from pyinfra.api.command import FileUploadCommand, PyinfraCommand, StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.host.images import base_name
from tinykit_ops.host.release_step import release_id

THERE, LEFT = "there", "left"  #: what the facts below say


class _OnHost(FactBase[set[str]]):
    """`THERE` when nothing has to be sent; `LEFT` when an interrupted run left a file on its way.

    Where who logs in is not root, pyinfra brings a file to such a place first.
    """

    def process(self, output: list[str]) -> set[str]:
        """A word a line."""
        return set(output)


class ReleaseOnHost(_OnHost):
    """Whether a release is unpacked, or its whole archive waits."""

    def command(self, sha256: str, way: str) -> str:
        """The shell lines that say so."""
        folder = shlex.quote(f"{layout.TINYKIT_RELEASES}/{release_id(sha256)}")
        return _said(f"[ -d {folder} ] || {_waits(sha256, incoming(sha256))}", way)


def incoming(sha256: str) -> str:
    """Where the archive of a release waits on the host."""
    return f"{layout.TINYKIT_HOME}/incoming/{release_id(sha256)}.tar.zst"


class BaseOnHost(_OnHost):
    """Whether a base image is imported, or its whole archive waits."""

    def command(self, sha256: str, way: str) -> str:
        """The shell lines that say so."""
        image = shlex.quote(base_name(sha256))
        imported = f"docker image inspect {image} >/dev/null 2>&1"
        return _said(f"{imported} || {_waits(sha256, layout.DOCKER_BASE)}", way)


@operation()
def upload_base(archive: Path, sha256: str) -> Generator[PyinfraCommand]:
    """Send a root file system to the host, which makes the base image of it."""
    said = host.get_fact(BaseOnHost, sha256=sha256, way=_way()) or set()
    yield from _send(archive, layout.DOCKER_BASE, said)


@operation()
def upload_release(archive: Path, sha256: str) -> Generator[PyinfraCommand]:
    """Send the archive with this hash to the host, which checks it before it unpacks."""
    said = host.get_fact(ReleaseOnHost, sha256=sha256, way=_way()) or set()
    yield from _send(archive, incoming(sha256), said)


def _send(archive: Path, place: str, said: set[str]) -> Generator[PyinfraCommand]:
    if THERE not in said:
        yield FileUploadCommand(str(archive), place, remote_temp_filename=_way())
    elif LEFT in said:
        yield StringCommand("rm", "-f", _way())
    else:
        host.noop("it is there")


def _way() -> str:
    """Always the same, so that what was left there is found."""
    folder = host.get_temp_dir_config()  # type: ignore[no-untyped-call]
    return f"{folder}/tinykit-ops-upload"


def _waits(sha256: str, archive: str) -> str:
    return f"echo {sha256}  {shlex.quote(archive)} | sha256sum --check --status 2>/dev/null"


def _said(is_there: str, way: str) -> str:
    left = f"[ ! -e {shlex.quote(way)} ] || echo {LEFT}"
    return f"if {is_there}; then echo {THERE}; fi; {left}"
