"""A verifier as files: for each instance a configuration, with secrets of the verifier's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from tinykit_ops import layout
from tinykit_ops.backup.schedule import verifier_jobs
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.deploy.host_secrets import secret_name
from tinykit_ops.deploy.templates import render
from tinykit_ops.deploy.verifier_checks import outside_check_files
from tinykit_ops.ops.tree import Entry, File, Folder
from tinykit_ops.settings import Settings, SettingsError, settings_for
from tinykit_ops.settings.pyinfra_error import InventoryError
from tinykit_ops.settings.secrets import resolve_all
from tinykit_ops.settings.verifier import VerifierSettings, folder_name, misfits, settings_of
from tinykit_ops.settings.verifier_inventory import KEY, read_verifier

if TYPE_CHECKING:
    from pyinfra.api.host import Host


def verifier_of(host: Host) -> tuple[VerifierSettings, dict[str, Settings]]:
    """The verifier's settings, and what its agent has to know of each instance, by folder name.

    Raises:
        InventoryError: lists what is wrong; pyinfra prints it and stops.
    """
    try:
        verifier = read_verifier(host)
        instances = _instances(host, verifier)
        problems = [one.below(KEY).at(host.name) for one in misfits(verifier, instances)]
        if problems:
            raise SettingsError(problems)
    except SettingsError as error:
        raise InventoryError(list(error.problems)) from None
    return verifier, {
        folder_name(name): settings_of(verifier, name, settings)
        for name, settings in instances.items()
    }


def _instances(host: Host, verifier: VerifierSettings) -> dict[str, Settings]:
    known = {one.name: one for one in host.inventory if one.data.get("tinykit") is not None}
    wanted = [name for name in verifier.instances if name in known]
    return {name: settings_for(known[name]) for name in wanted}


def verifier_files(verifier: VerifierSettings, instances: Mapping[str, Settings]) -> list[Entry]:
    """Configuration, secrets and schedule.

    Raises:
        InventoryError: a secret cannot be read.
        RunStoppedError: another file of the controller cannot be used.
    """
    entries: list[Entry] = [
        File(layout.AGENT_COMMAND, render("agent/tinykit-ops.sh.j2"), mode="755"),
        File(layout.VERIFIER_FILE, json.dumps({"instances": sorted(instances)}) + "\n", mode="600"),
    ]
    for name, settings in instances.items():
        entries += _instance_files(f"{layout.INSTANCES_DIR}/{name}", settings)
    jobs = verifier_jobs(verifier)
    entries += outside_check_files(verifier.checks, instances)
    return [*entries, File(layout.CRON_FILE, render("cron/verifier.j2", verifying=jobs))]


def _instance_files(folder: str, settings: Settings) -> list[Entry]:
    secrets = f"{folder}/secrets"
    values = {secret_name(key): value for key, value in _secrets(settings).items()}
    return [
        Folder(folder, mode="700"),
        Folder(secrets, mode="700"),
        File(f"{folder}/config.json", agent_config(settings, secrets), mode="600"),
        *(
            File(f"{secrets}/{name}", value.get_secret_value(), mode="600")
            for name, value in values.items()
        ),
    ]


def _secrets(settings: Settings) -> dict[str, SecretStr]:
    try:
        return resolve_all(settings)
    except SettingsError as error:
        raise InventoryError(list(error.problems)) from None
