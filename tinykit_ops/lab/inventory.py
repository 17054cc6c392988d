"""A lab as pyinfra and people see it: hosts with their SSH data, and settings for tinykit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.errors import UsageError
from tinykit_ops.lab.base_image import base_image_path
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.keys import ensure_age_key
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.names import DOMAIN
from tinykit_ops.lab.tree import SUDO_USER
from tinykit_ops.settings.load import merge

ADMIN_EMAIL = f"admin@{DOMAIN}"
USERS = ("root", SUDO_USER)

#: On a busy machine, a host's sshd may be late with its greeting; pyinfra gives up after 15 s.
_PATIENCE = {
    "ssh_connect_retries": 3,
    "ssh_connect_retry_min_delay": 1,
    "ssh_connect_retry_max_delay": 3,
}

HostData = dict[str, Any]


def lab_hosts(
    name: str,
    *,
    user: str = "root",
    only: Collection[str] = (),
    app: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    root: Path | None = None,
) -> list[tuple[str, HostData]]:
    """The hosts of a lab as pyinfra's inventory wants them: (name, data).

    Args:
        name: the lab.
        user: who logs in: "root", or "ops", who uses sudo.
        only: names of the hosts wanted; all when empty.
        app: a release archive of tinykit; without one, the settings name no app.
        overrides: merged deeply over the settings (`data["tinykit"]`) of every host.
        root: the folder of the labs, when not the usual one.
    Raises: UsageError for a user or host that is not there; LabNotFoundError.
    """
    if user not in USERS:
        raise UsageError(f"Lab hosts have no user {user!r}.", hint=f"Use one of: {USERS}")
    lab = Lab.load(name, root)
    hosts = [lab.host(wanted) for wanted in only] if only else lab.hosts
    return [(host.name, _host_data(lab, host, user, app, overrides or {})) for host in hosts]


def connection(host: LabHost, user: str) -> HostData:
    """What pyinfra's SSH connector needs."""
    data: HostData = {
        "ssh_hostname": host.address4,
        "ssh_user": user,
        "ssh_key": str(host.key),
        "ssh_known_hosts_file": str(host.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "ssh_config_file": "/dev/null",
    }
    if user != "root":
        data["_sudo"] = True
    return data


def settings(lab: Lab, host: LabHost, app: Path | None = None) -> dict[str, Any]:
    """Settings for one instance of tinykit on a lab host; see settings/model.py."""
    networks = lab.networks
    found: dict[str, Any] = {
        "domains": [host.domain],
        "admin_email": ADMIN_EMAIL,
        "admin_password": {"file": str(lab.admin_password)},
        "app": {"archive": str(app), "sha256": file_sha256(app)} if app else {},
        "access": {
            "builder": {"require": ["allowlist"]},
            "allowlist": [f"{networks.controller4}/32", f"{networks.controller6}/128"],
        },
        "edge": {"tls": {"mode": "internal"}},
        "firewall": {"ssh_from": [str(networks.hosts4), str(networks.hosts6)]},
    }
    if host.machine.state.docker:
        found["docker"] = {"base_archive": str(base_image_path(lab.cache))}
    if lab.state.s3:
        found["backup"] = {"targets": [_target(lab, host)]}
    return found


def describe(lab: Lab) -> dict[str, Any]:
    """What `lab inventory` prints: addresses, users, and where keys and credentials are."""
    networks = lab.networks
    described: dict[str, Any] = {
        "lab": lab.name,
        "folder": str(lab.folder),
        "controller": {"ipv4": str(networks.controller4), "ipv6": str(networks.controller6)},
        "outside": {"ipv4": lab.outside.address4, "ipv6": lab.outside.address6},
        "ssh": {
            "users": list(USERS),
            "key": str(lab.key),
            "known_hosts": str(lab.known_hosts),
        },
        "admin": {"email": ADMIN_EMAIL, "password_file": str(lab.admin_password)},
        "backup_age_key": str(lab.age_key),
        "hosts": [describe_host(host) for host in lab.hosts],
    }
    if lab.state.s3:
        described["s3"] = {
            "endpoint": lab.s3.endpoint,
            "bucket": lab.s3.bucket,
            "access_key_id_file": str(lab.s3.access_key_id_file),
            "secret_access_key_file": str(lab.s3.secret_access_key_file),
            "data": str(lab.s3.data),
        }
    if lab.state.acme_life:
        described["acme"] = {
            "directory": lab.acme.directory,
            "directory_ca": str(lab.acme.directory_ca),
            "life_seconds": lab.acme.life,
        }
    return described


def describe_host(host: LabHost) -> dict[str, Any]:
    """One host of `lab list` and `lab inventory`."""
    return {
        "name": host.name,
        "domain": host.domain,
        "release": host.release,
        "ipv4": host.address4,
        "ipv6": host.address6,
        "running": host.is_running,
        "console": str(host.machine.folder / "console.log"),
    }


def names_in(text: str) -> Sequence[str]:
    """ "tk-1, tk-2" → ["tk-1", "tk-2"]"""
    return [word for word in text.replace(",", " ").split() if word]


def _host_data(
    lab: Lab, host: LabHost, user: str, app: Path | None, overrides: Mapping[str, Any]
) -> HostData:
    return {
        **connection(host, user),
        **_PATIENCE,
        "tinykit": merge(settings(lab, host, app), overrides),
    }


def _target(lab: Lab, host: LabHost) -> dict[str, Any]:
    return {
        "kind": "s3",
        "name": "lab",
        "endpoint": lab.s3.endpoint,
        "bucket": lab.s3.bucket,
        "prefix": host.name,
        "access_key_id": {"file": str(lab.s3.access_key_id_file)},
        "secret_access_key": {"file": str(lab.s3.secret_access_key_file)},
        "encryption": [ensure_age_key(lab.age_key)],
    }
