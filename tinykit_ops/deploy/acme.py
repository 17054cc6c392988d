"""What certbot needs on a host besides itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.tree import Absent, Entry, File, Folder
from tinykit_ops.settings import Settings

_DROP_IN = "/etc/systemd/system/certbot.service.d/tinykit-ops.conf"


def acme_entries(settings: Settings) -> Iterator[Entry]:
    """The authority of a private ACME directory, for certbot and for its timer; else neither."""
    source = settings.edge.tls.directory_ca
    if source is None:
        yield Absent(layout.ACME_DIRECTORY_CA)
        yield Absent(_DROP_IN)
        return
    yield File(layout.ACME_DIRECTORY_CA, Path(source).expanduser().read_bytes())
    yield Folder(str(Path(_DROP_IN).parent))
    yield File(_DROP_IN, render("certbot/unit.conf.j2"))
