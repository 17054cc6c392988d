"""The instance that a deploy is about: its settings, its secrets, its release."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pyinfra.context import host

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.deploy.host_secrets import secret_files
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.release.cache import ensure_release
from tinykit_ops.release.inspect import inspect_archive
from tinykit_ops.settings import Settings, secrets_for, settings_for
from tinykit_ops.settings.pyinfra_error import InventoryError, RunStoppedError
from tinykit_ops.settings.resolve import file_problems

CACHE = Path.home() / ".cache" / "tinykit-ops" / "releases"


@dataclass(frozen=True)
class Release:
    """Which release to run: its archive's hash, and the archive unless the host fetches it."""

    sha256: str
    archive: Path | None


def settings() -> Settings:
    """The settings of the host that the deploy runs for.

    Raises:
        SettingsError: with everything that is wrong in the inventory, or with the files that it
            names, before a host is changed.
    """
    found = settings_for(host)
    see_files_of(host.name, found)
    return found


def see_files_of(name: str, found: Settings) -> None:
    """What an inventory looks for that checks itself, in one that does not: once a host.

    Raises:
        InventoryError: a file is missing or is not the right one; pyinfra prints it and stops.
    """
    if _SEEN.get(name) != found:
        problems = [problem.at(name) for problem in file_problems(found)]
        if problems:
            raise InventoryError(problems)
        _SEEN[name] = found


#: host name → settings whose files were there; a process is one run of pyinfra.
_SEEN: dict[str, Settings] = {}


def secrets() -> dict[str, str]:
    """The secrets that the inventory gives this host: path on the host → value.

    Raises:
        SettingsError: with every secret that cannot be read; pyinfra prints it and stops.
    """
    values = secrets_for(host)
    return secret_files({key: secret.get_secret_value() for key, secret in values.items()})


def release() -> Release:
    """The release of this host; builds it on the controller when the settings name a commit.

    Raises:
        RunStoppedError: it cannot be built, or the archive is no release; pyinfra prints it.
    """
    app = settings().app
    try:
        return _release(app.archive or "", app.sha256 or "", app.git or "", app.commit or "")
    except TinykitOpsError as error:
        raise RunStoppedError(error) from None


@cache
def _release(archive: str, sha256: str, git: str, commit: str) -> Release:
    """One archive serves every host of the run, so it is hashed, or built, once."""
    if git:
        info = ensure_release(git, commit, CACHE)
        return Release(info.sha256, info.archive)
    if archive.startswith("https://"):
        return Release(sha256, None)
    path = Path(archive).expanduser()
    found = Release(file_sha256(path), path)
    _see_that_it_is_a_release(found)
    return found


def _see_that_it_is_a_release(release: Release) -> None:
    """Read the archive to its end, once for each content: that takes a second or two."""
    seen = CACHE / "inspected" / release.sha256
    if release.archive and not seen.exists():
        inspect_archive(release.archive)
        seen.parent.mkdir(parents=True, exist_ok=True)
        seen.touch()
