"""What settings point to on the controller: is it there, and is it the right thing?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tinykit_ops.settings.docker import make_base
from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.network_list import networks_in
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.software import is_web_address


def local_archive(settings: Settings) -> Path | None:
    """The release archive on the controller, or None when it is fetched or built."""
    source = settings.app.archive
    return None if source is None or is_web_address(source) else Path(source).expanduser()


def file_problems(settings: Settings) -> list[Problem]:
    """What is wrong with the files of the controller that settings name."""
    return [
        *_archive_problems(settings),
        *_tls_problems(settings),
        *_cdn_problems(settings),
        *_base_image_problems(settings),
    ]


def _base_image_problems(settings: Settings) -> Iterator[Problem]:
    source = settings.docker.base_archive
    if not source or not settings.in_containers:
        return
    try:
        Path(source).expanduser().open("rb").close()
    except OSError as error:
        reason = f"the file {source} cannot be read: {error.strerror or error}"
        yield Problem("docker.base_archive", reason, f"`{make_base(source)}` makes one")


def _cdn_problems(settings: Settings) -> Iterator[Problem]:
    for source in settings.firewall.cdn.files:
        try:
            networks_in(Path(source).expanduser().read_text(encoding="utf-8"))
        except OSError as error:
            reason = f"the file {source} cannot be read: {error.strerror or error}"
            yield Problem("firewall.cdn.source", reason, "look at its path, owner and mode")
        except ValueError as error:
            reason = f"the file {source} is no list of networks: it {error}"
            yield Problem("firewall.cdn.source", reason, "it should have one network a line")


def _tls_problems(settings: Settings) -> Iterator[Problem]:
    tls = settings.edge.tls
    for name in ("certificate", "key", "directory_ca"):
        source = getattr(tls, name)
        if source is None:
            continue
        try:
            if b"-----BEGIN " not in Path(source).expanduser().read_bytes():
                reason = f"the file {source} is not in PEM form"
                yield Problem(f"edge.tls.{name}", reason, "it should begin with -----BEGIN …")
        except OSError as error:
            reason = f"the file {source} cannot be read: {error.strerror or error}"
            yield Problem(f"edge.tls.{name}", reason, "look at its path, owner and mode")


def _archive_problems(settings: Settings) -> list[Problem]:
    path = local_archive(settings)
    if path is None:
        return []
    try:
        with path.open("rb") as archive:
            found = hashlib.file_digest(archive, "sha256").hexdigest()
    except FileNotFoundError:
        reason = f"there is no file {path} (looked for from {Path.cwd()})"
        return [Problem("app.archive", reason, "`tinykit-ops release build` makes one")]
    except OSError as error:
        reason = f"the file {path} cannot be read: {error.strerror or error}"
        return [Problem("app.archive", reason, "look at its owner and mode")]
    if settings.app.sha256 not in (None, found):
        reason = f"is not the hash of {path}, which is {found}"
        return [Problem("app.sha256", reason, "fetch the archive again, or correct the hash")]
    return []
