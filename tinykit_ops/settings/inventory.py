"""Settings out of pyinfra inventories: all hosts at once, before any of them is touched.

pyinfra reads an inventory, connects, then runs the deploys. `check_inventory(__file__)` as the
last line of an inventory stops a run before it connects; `settings_for(host)` in a deploy is the
net below it, for inventories without that line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import SecretStr

from tinykit_ops.errors import UsageError
from tinykit_ops.settings.advice import advice_for
from tinykit_ops.settings.load import load_settings
from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.problems import Advice, Problem, SettingsError
from tinykit_ops.settings.pyinfra_import import without_patching
from tinykit_ops.settings.pyinfra_stop import StoppedError, say_when_stopped
from tinykit_ops.settings.pyinfra_words import listen
from tinykit_ops.settings.resolve import file_problems
from tinykit_ops.settings.secrets import Warn, resolve_all
from tinykit_ops.settings.verifier_inventory import is_verifier, verifier_problems

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.inventory import Inventory

_EXAMPLE = (
    'example: hosts = [("apps.example.com", {"tinykit": {"domains": ["apps.example.com"], '
    '"admin_email": "you@example.com", "app": {…}}})]'
)


@dataclass(frozen=True)
class HostSettings:
    """The settings of one host of an inventory.

    Attributes:
        host: its name in the inventory.
        advice: what is allowed and worth a second look.
    """

    host: str
    settings: Settings
    advice: tuple[Advice, ...] = ()


def validate_inventory(path: Path, *, secrets: bool = False) -> list[HostSettings]:
    """Read the settings of every host of an inventory file, as pyinfra would.

    Args:
        path: the inventory file; group data is looked for beside it and in the current folder.
        secrets: read the secrets too, to see that they are there.

    Raises:
        SettingsError: lists everything that is wrong, over all hosts.
        UsageError: the file is not an inventory.
    """
    hosts = list(_inventory_of(path))
    if not hosts:
        raise UsageError(f"the inventory {path} names no host", hint=_EXAMPLE)
    return _read_hosts(hosts, files=True, secrets=secrets)


def connections(path: Path) -> dict[str, dict[str, Any]]:
    """pyinfra's own data of every host of an inventory, such as `ssh_user`, by the host's name."""
    ours = ("tinykit", "tinykit_defaults")
    return {
        host.name: {key: value for key, value in _data_of(host).items() if key not in ours}
        for host in _inventory_of(path)
    }


def _data_of(host: Host) -> dict[str, Any]:
    data: dict[str, Any] = host.data.dict()  # type: ignore[no-untyped-call]
    return data


def check_inventory(filename: str) -> None:
    """As the last line of an inventory, `check_inventory(__file__)`: stop here if it is wrong.

    A run that deploys also needs its secrets, and stops here if one is missing.

    Raises:
        InventoryError: lists everything that is wrong. pyinfra prints it, has connected to no host,
            and exits with 64.
    """
    if _Reading.active:
        return
    if _is_deploying():
        listen()
        say_when_stopped()
    try:
        hosts = validate_inventory(Path(filename), secrets=_is_deploying())
    except SettingsError as error:
        raise _for_pyinfra(error.problems) from None
    except UsageError as error:
        raise _for_pyinfra([Problem("", error.what, error.hint)]) from None
    for host in hosts:
        for advice in host.advice:
            click.echo(f"warning: {host.host}: {advice}", err=True)


def settings_for(host: Host) -> Settings:
    """The settings of the host that a deploy runs for.

    Raises:
        InventoryError: those of this host are wrong. Lists the faults of all hosts of the
            inventory; pyinfra prints it before any operation runs.
    """
    data, defaults = host.data.get("tinykit"), host.data.get("tinykit_defaults")
    known = _KNOWN.get(host.name)
    if known is not None and known[:2] == (data, defaults):
        return known[2]
    try:
        settings = _read_host(host)
    except SettingsError as error:
        _read_hosts_or_stop(host.inventory)
        raise _for_pyinfra(error.problems) from None
    _KNOWN[host.name] = (data, defaults, settings)
    return settings


def secrets_for(host: Host) -> dict[str, SecretStr]:
    """The secrets of the host that a deploy runs for: key path → value.

    Raises:
        InventoryError: lists those that cannot be read; pyinfra prints it and stops.
    """
    settings = settings_for(host)
    try:
        return resolve_all(settings)
    except SettingsError as error:
        raise _for_pyinfra([problem.at(host.name) for problem in error.problems]) from None


#: host name → what its settings were read from, and the settings.
_KNOWN: dict[str, tuple[Any, Any, Settings]] = {}


def _read_hosts_or_stop(hosts: Iterable[Host]) -> None:
    try:
        _read_hosts(hosts, files=False, secrets=False)
    except SettingsError as error:
        raise _for_pyinfra(error.problems) from None


def _read_hosts(hosts: Iterable[Host], *, files: bool, secrets: bool) -> list[HostSettings]:
    """Settings of all instances, or one error with what is wrong with any of the hosts."""
    read: list[HostSettings] = []
    problems: list[Problem] = []
    verifiers: list[Host] = []
    for host in hosts:
        if is_verifier(host):
            verifiers.append(host)
            continue
        try:
            settings = _read_host(host)
        except SettingsError as error:
            problems += error.problems
            continue
        found = [*file_problems(settings), *_key_problems(host)] if files else []
        advice = advice_for(settings)
        if secrets:
            try:
                resolve_all(settings, warn=advice.append)
            except SettingsError as error:
                found += error.problems
        problems += [problem.at(host.name) for problem in found]
        read.append(HostSettings(host.name, settings, tuple(advice)))
    instances = None if problems else {one.host: one.settings for one in read}
    problems += verifier_problems(verifiers, instances, _warning if secrets else None)
    if problems:
        raise SettingsError(problems)
    return read


def _warning(host: str) -> Warn:
    return lambda advice: click.echo(f"warning: {host}: {advice}", err=True)


def _key_problems(host: Host) -> Iterator[Problem]:
    """pyinfra itself meets a missing key file with a traceback, in the middle of connecting."""
    key = host.data.get("ssh_key")
    if key and not Path(key).expanduser().is_file():
        reason = f"names a file that is not there: {key}"
        yield Problem("ssh_key", reason, "give the path of your private SSH key")


def _read_host(host: Host) -> Settings:
    data = host.data.get("tinykit")
    if data is None:
        # pyinfra takes every list at the top of an inventory as hosts, also one of networks.
        hint = f"{_EXAMPLE}\n    not a host? give its list a name that starts with _"
        problem = Problem("tinykit", "is missing: this host has no settings", hint, host.name)
        raise SettingsError([problem])
    return load_settings(data, where=host.name, defaults=host.data.get("tinykit_defaults"))


def _inventory_of(path: Path) -> Inventory:
    """Run an inventory file the way the `pyinfra` command does."""
    with without_patching():
        from pyinfra_cli.inventory import (  # type: ignore[import-untyped]
            make_inventory_from_files,
        )

    if not path.is_file():
        raise UsageError(f"there is no inventory file {path}", hint="give the path of a .py file")
    try:
        with _reading():
            inventory: Inventory = make_inventory_from_files(str(path), cwd=str(Path.cwd()))
    except StoppedError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"the inventory {path} cannot be read: {_cause(error)}",
            hint="`python INVENTORY` shows where",
        ) from None
    return inventory


def _cause(error: BaseException) -> str:
    """The error of the user's own file, which pyinfra wraps."""
    inner = getattr(error, "exception", error)
    return f"{type(inner).__name__}: {inner}"


class _Reading:
    """Whether an inventory is being read here, so that its `check_inventory` has to keep still."""

    active = False


@contextmanager
def _reading() -> Iterator[None]:
    from pyinfra.api.state import State
    from pyinfra.context import ctx_state

    before, _Reading.active = _Reading.active, True
    is_set: bool = ctx_state.isset()  # type: ignore[no-untyped-call]
    state = nullcontext() if is_set else ctx_state.use(State())
    try:
        with state:  # pyinfra notes there which file it executes
            yield
    finally:
        _Reading.active = before


def _is_deploying() -> bool:
    """Is this `pyinfra INVENTORY.py DEPLOY.py …`, rather than `exec`, `fact` or another program?

    If it is seen wrongly, missing secrets are found by the deploys, before they change anything.
    """
    import pyinfra

    files = [word for word in sys.argv[1:] if word.endswith(".py")]
    return pyinfra.is_cli and len(files) >= 2


def _for_pyinfra(problems: Iterable[Problem]) -> SettingsError:
    from tinykit_ops.settings.pyinfra_error import InventoryError

    return InventoryError(list(problems))
