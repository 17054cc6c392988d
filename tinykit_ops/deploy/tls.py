"""Certificates that the inventory brings, as files for the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinykit_ops import layout
from tinykit_ops.edge.caddy import CERTIFICATE, DIRECTORY_CA, KEY
from tinykit_ops.ops.tree import Absent, Entry, File, Folder
from tinykit_ops.settings import Settings


def tls_files(settings: Settings) -> Iterator[Entry]:
    """The folder for them, and those that the settings name; others are removed."""
    tls = settings.edge.tls
    yield Folder(str(PurePosixPath(CERTIFICATE).parent), mode="750", group=layout.CADDY_USER)
    wanted = {
        CERTIFICATE: tls.certificate if tls.mode == "files" else None,
        KEY: tls.key if tls.mode == "files" else None,
        DIRECTORY_CA: tls.directory_ca if tls.mode == "acme" else None,
    }
    for path, source in wanted.items():
        if source is None:
            yield Absent(path)
        else:
            content = Path(source).expanduser().read_bytes()
            yield File(path, content, mode="640", group=layout.CADDY_USER)
