"""Releases: one built tinykit in one archive, made on the controller, unpacked on the host."""

from tinykit_ops.release.build import build_release
from tinykit_ops.release.cache import ensure_release
from tinykit_ops.release.inspect import inspect_archive
from tinykit_ops.release.model import ReleaseError, ReleaseInfo, Source

__all__ = [
    "ReleaseError",
    "ReleaseInfo",
    "Source",
    "build_release",
    "ensure_release",
    "inspect_archive",
]
