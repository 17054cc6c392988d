"""The inventory for an install: what was seen and answered, as a file to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinykit_ops.adopt.inventory_text import inventory_text
from tinykit_ops.adopt.look import secret_value
from tinykit_ops.adopt.model import Install
from tinykit_ops.artifacts import PINNED, file_sha256
from tinykit_ops.errors import Exit, TinykitOpsError, UsageError
from tinykit_ops.report.files import write_private
from tinykit_ops.settings import validate_inventory
from tinykit_ops.settings.model import is_public_name
from tinykit_ops.settings.software import is_web_address

#: Providers that the settings know by name; others speak OpenAI's protocol at an address.
_PROVIDERS = {"openai", "anthropic", "gemini"}
KEY = "LLM_API_KEY"


class CannotWriteInventoryError(TinykitOpsError):
    """The inventory's file cannot be made."""

    exit_code = Exit.CANNOT_CREATE


def write_for(
    path: Path, host: str, connection: Mapping[str, Any], install: Install, release: str
) -> None:
    """Write the inventory for an install, and beside it the key of its language model.

    Raises:
        UsageError, SettingsError, CannotWriteInventoryError, UnavailableError.
    """
    see_that_the_version_is_known(install)
    key_file = path.with_suffix(".llm-api-key") if KEY in install.environment else None
    settings = settings_of(install, release, key_file)
    given = "api_key" in settings.get("llm", {})
    if key_file and given and not path.exists():
        key = secret_value(host, connection, install.pid, KEY)
        if key:
            write_private(key_file, f"{key}\n")
        else:
            del settings["llm"]["api_key"]
    write_inventory(path, host, connection, settings, guesses(install))


def settings_of(install: Install, release: str, key_file: Path | None) -> dict[str, Any]:
    """The mapping `tinykit` of the inventory.

    Args:
        release: an archive, by path or https:// address.
        key_file: of the language model's key on the controller, where there is one.
    """
    private = [name for name in install.domains if not is_public_name(name)]
    found: dict[str, Any] = {
        "domains": list(install.domains),
        "admin_email": install.email,
        "app": _app(release),
        "pocketbase": {"version": install.pocketbase},
    }
    if install.caller:
        found["access"] = {"allowlist": [install.caller]}
    if install.ssh_port != 22:
        found["firewall"] = {"ssh_port": install.ssh_port}
    if private:
        found["edge"] = {"tls": {"mode": "internal"}}
    if llm := _llm(install, key_file):
        found["llm"] = llm
    return found


def guesses(install: Install) -> list[str]:
    """What a person should look at in it."""
    found = [*install.notes]
    if install.caller:
        found.append(
            f"{install.caller}, from where this login came, is the only address that may reach "
            "PocketBase's dashboard (access.allowlist); SSH stays open to every address"
        )
    if install.proxy and install.proxy != "caddy":
        found.append(
            f'the edge becomes Caddy; "edge": {{"kind": "nginx"}} if {install.proxy} is nginx'
        )
    if install.layout == "docker":
        found.append('systemd runs it; "runtime": "docker" keeps containers (docs/docker.md)')
    if any(not is_public_name(name) for name in install.domains):
        found.append("no public authority certifies such a name: the host's own does (edge.tls)")
    if KEY in install.environment and not _llm(install, None):
        found.append(
            "its language model's provider is none of ours: fill in llm (docs/settings.md)"
        )
    found.append("PocketBase reaches nothing but this host: pocketbase.outbound, if it sends mail")
    found.append("there is no backup yet: fill in backup.targets (docs/backup.md)")
    return found


def write_inventory(
    path: Path,
    host: str,
    connection: Mapping[str, Any],
    settings: Mapping[str, Any],
    notes: list[str],
) -> None:
    """Write the file, once the settings in it are sound; an existing one is never replaced.

    Args:
        connection: pyinfra's data for it, such as `ssh_user`.
        notes: for its head.

    Raises:
        UsageError, SettingsError: it is there already, or would be wrong.
        CannotWriteInventoryError: the folder is not there, or is not ours.
    """
    if path.exists():
        raise UsageError(
            "The inventory is there already, and stays as it is",
            where=str(path),
            hint="--inventory FILE goes on with it; --write another name writes a new one",
        )
    text = inventory_text(host, {**connection, "tinykit": dict(settings)}, notes)
    trial = path.with_name(f"{path.stem}_being_written.py")
    try:
        trial.write_text(text)
    except OSError as error:
        raise CannotWriteInventoryError(
            f"The inventory cannot be written: {error.strerror}",
            where=str(path),
            hint="name a file in a folder that is there, and that this user may write to",
        ) from None
    try:
        validate_inventory(trial)
        trial.rename(path)
    finally:
        trial.unlink(missing_ok=True)


def see_that_the_version_is_known(install: Install) -> None:
    """Adopting is no time for another PocketBase as well.

    Raises:
        UsageError: its hash is not known, so the inventory has to name it.
    """
    if install.pocketbase not in PINNED["pocketbase"]:
        known = ", ".join(PINNED["pocketbase"])
        raise UsageError(
            f"PocketBase {install.pocketbase} is none that tinykit-ops has a hash for ({known})",
            where="pocketbase.version",
            hint="update PocketBase by hand to one of these first, then adopt; or write the "
            'inventory yourself, with "pocketbase": {"version": …, "sha256": …}, and give it with '
            "--inventory",
        )


def _app(release: str) -> dict[str, str]:
    if is_web_address(release):
        return {"archive": release}
    path = Path(release).expanduser()
    if not path.is_file():
        raise UsageError(
            "The release archive is not there",
            where=release,
            hint="`tinykit-ops release build` makes one; --release names it",
        )
    return {"archive": release, "sha256": file_sha256(path)}


def _llm(install: Install, key_file: Path | None) -> dict[str, Any]:
    found: dict[str, Any] = dict(install.llm)
    if found.get("provider") not in _PROVIDERS:
        if not (found.get("provider") and found.get("base_url")):
            return {}
        found["provider"] = "custom"
    if key_file is not None:
        found["api_key"] = {"file": str(key_file)}
    return found
