"""`upload_release`: the archive to the host, unless its release is there."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.host.images import base_name
from tinykit_ops.host.release_step import release_id


class ReleaseOnHost(FactBase[bool]):
    """Whether a release is unpacked, or its whole archive waits."""

    def command(self, sha256: str) -> str:
        """The shell line that prints `yes` when it is."""
        folder = shlex.quote(f"{layout.TINYKIT_RELEASES}/{release_id(sha256)}")
        archive = shlex.quote(incoming(sha256))
        waits = f"echo {sha256}  {archive} | sha256sum --check --status 2>/dev/null"
        return f"if [ -d {folder} ] || {waits}; then echo yes; fi"

    def process(self, output: list[str]) -> bool:
        """True for `yes`."""
        return output == ["yes"]


def incoming(sha256: str) -> str:
    """Where the archive of a release waits on the host."""
    return f"{layout.TINYKIT_HOME}/incoming/{release_id(sha256)}.tar.zst"


class BaseOnHost(FactBase[bool]):
    """Whether a base image is imported, or its whole archive waits."""

    def command(self, sha256: str) -> str:
        """The shell line that prints `yes` when it is."""
        image = shlex.quote(base_name(sha256))
        waits = f"echo {sha256}  {layout.DOCKER_BASE} | sha256sum --check --status 2>/dev/null"
        return f"if docker image inspect {image} >/dev/null 2>&1 || {waits}; then echo yes; fi"

    def process(self, output: list[str]) -> bool:
        """True for `yes`."""
        return output == ["yes"]


@operation()
def upload_base(archive: Path, sha256: str) -> Generator[FileUploadCommand]:
    """Send a root file system to the host, which makes the base image of it."""
    if host.get_fact(BaseOnHost, sha256=sha256):
        host.noop(f"base image {base_name(sha256)} is there")
        return
    yield FileUploadCommand(str(archive), layout.DOCKER_BASE)


@operation()
def upload_release(archive: Path, sha256: str) -> Generator[FileUploadCommand]:
    """Send the archive with this hash to the host, which checks it before it unpacks."""
    if host.get_fact(ReleaseOnHost, sha256=sha256):
        host.noop(f"release {release_id(sha256)} is there")
        return
    yield FileUploadCommand(str(archive), incoming(sha256))
