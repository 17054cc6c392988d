"""Certificates that the inventory brings, as files for the host."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinykit_ops import layout
from tinykit_ops.edge import nginx_tls
from tinykit_ops.edge.caddy import CERTIFICATE, DIRECTORY_CA, KEY
from tinykit_ops.errors import UsageError
from tinykit_ops.ops.tree import Absent, Entry, File, Folder
from tinykit_ops.settings import Settings
from tinykit_ops.settings.pyinfra_error import RunStoppedError


def caddy_tls_files(settings: Settings) -> Iterator[Entry]:
    """The folder for them, and those that the settings name; others are removed."""
    tls = settings.edge.tls
    see_that_they_fit(settings)
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
    see_that_they_fit(settings)
    yield Folder(layout.NGINX_TLS, mode="2750", group=layout.NGINX_USER)
    tls = settings.edge.tls
    if tls.mode == "files" and tls.certificate and tls.key:
        pair = nginx_tls.pair(nginx_tls.INSTANCE)
        yield File(pair.key, _content(tls.key), mode="640", group=layout.NGINX_USER)
        yield File(pair.certificate, _content(tls.certificate), mode="640", group=layout.NGINX_USER)


def see_that_they_fit(settings: Settings) -> None:
    """A certificate and a key that do not belong together would end the edge at its next start.

    Raises:
        RunStoppedError: before any host was changed; pyinfra prints it.
    """
    tls = settings.edge.tls
    if tls.mode != "files" or not tls.certificate or not tls.key:
        return
    certificate, key = (Path(source).expanduser() for source in (tls.certificate, tls.key))
    try:
        # A key that asks for a password gets a wrong one, so that nobody is asked.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "none")
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or error
        raise RunStoppedError(
            UsageError(
                f"a server cannot use this certificate and key: {reason}",
                where=f"{certificate}, {key}",
                hint="the certificate comes first in its file, then its chain; the key is the one "
                "that it was requested with, as PEM and without a password",
            )
        ) from None


def _content(source: str) -> bytes:
    return Path(source).expanduser().read_bytes()
