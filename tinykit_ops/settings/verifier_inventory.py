"""Verifiers out of pyinfra inventories: hosts whose data say `tinykit_verifier`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tinykit_ops.settings.load import load_section
from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.problems import Problem, SettingsError
from tinykit_ops.settings.secrets import Warn, resolve_all
from tinykit_ops.settings.verifier import VerifierSettings, misfits

if TYPE_CHECKING:
    from pyinfra.api.host import Host

KEY = "tinykit_verifier"


def is_verifier(host: Host) -> bool:
    """Whether that host of an inventory verifies other hosts' backups."""
    return host.data.get(KEY) is not None


def read_verifier(host: Host) -> VerifierSettings:
    """What the inventory says of a verifier. Raises SettingsError."""
    if host.data.get("tinykit") is not None:
        reason = "stands beside tinykit: a host is an instance or a verifier"
        hint = "who breaks into an instance must not find the key and the right to delete there"
        raise SettingsError([Problem(KEY, reason, hint, host.name)])
    try:
        return load_section(VerifierSettings, host.data.get(KEY), where=host.name)
    except SettingsError as error:
        raise SettingsError([problem.below(KEY) for problem in error.problems]) from None


def verifier_problems(
    hosts: Iterable[Host],
    instances: Mapping[str, Settings] | None,
    warn: Callable[[str], Warn] | None = None,
) -> Iterator[Problem]:
    """What is wrong with the verifiers of an inventory.

    Args:
        instances: the settings of its instances by their hosts' names; None when some of them
            are wrong themselves, so that nobody can tell what fits.
        warn: for each host, who is told about its secrets, which are read then.
    """
    for host in hosts:
        try:
            verifier = read_verifier(host)
        except SettingsError as error:
            yield from error.problems
            continue
        found = list(misfits(verifier, instances)) if instances is not None else []
        yield from (problem.below(KEY).at(host.name) for problem in found)
        if warn is None:
            continue
        try:
            resolve_all(verifier, warn=warn(host.name))
        except SettingsError as error:
            yield from (problem.below(KEY).at(host.name) for problem in error.problems)
