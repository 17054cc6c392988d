"""Certificates that the inventory brings, as files for the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinykit_ops import layout
from tinykit_ops.edge import nginx_tls
from tinykit_ops.edge.caddy import CERTIFICATE, DIRECTORY_CA, KEY
from tinykit_ops.ops.tree import Absent, Entry, File, Folder
from tinykit_ops.settings import Settings


def caddy_tls_files(settings: Settings) -> Iterator[Entry]:
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
            yield File(path, _content(source), mode="640", group=layout.CADDY_USER)


def nginx_tls_files(settings: Settings) -> Iterator[Entry]:
    """The folder for them, and those of the mode `files`; the host makes or fetches all others.

    The folder gives its group to what is made in it.
    """
    yield Folder(layout.NGINX_TLS, mode="2750", group=layout.NGINX_USER)
    tls = settings.edge.tls
    if tls.mode == "files" and tls.certificate and tls.key:
        pair = nginx_tls.pair(nginx_tls.INSTANCE)
        yield File(pair.key, _content(tls.key), mode="640", group=layout.NGINX_USER)
        yield File(pair.certificate, _content(tls.certificate), mode="640", group=layout.NGINX_USER)


def _content(source: str) -> bytes:
    return Path(source).expanduser().read_bytes()
