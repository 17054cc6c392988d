"""What an inventory may say of a verifier: a host that proves other hosts' backups.

It names instances of the same inventory, whose targets, retention and versions it takes over. What
is its own are its credentials, the private key, and its schedule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import Discriminator, Field

from tinykit_ops.settings.backup_targets import ArchiveTarget, DirectoryTarget, S3Target
from tinykit_ops.settings.backup_verify import VerifySettings
from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.notify import NotifySettings
from tinykit_ops.settings.problems import Problem, did_you_mean
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import CronSchedule, HostPath, ListLike, OneLine, Slug
from tinykit_ops.settings.verifier_checks import OutsideCheckSettings, as_instance

SomeSection = TypeVar("SomeSection", bound=Section)


class VerifiedTarget(Section):
    """One target of one instance."""

    kind: str
    instance: OneLine = Field(
        description="Name of the instance's host in this inventory.",
        examples=["apps-1.example.com"],
    )
    target: Slug = Field(description="Name of one of its targets.", examples=["offsite"])
    prune: bool = Field(
        default=False,
        description="Also apply the instance's retention there, after the newest snapshot was "
        "found good. These credentials then need the right to delete, and the instance's do not.",
        examples=[True],
    )

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.instance}/{self.target}"


class VerifiedBucket(VerifiedTarget):
    """A target of the kind `s3`, with credentials of the verifier's own."""

    kind: Literal["s3"] = Field(description="A bucket.", examples=["s3"])
    access_key_id: Secret = Field(
        description="Id of an access key that may get, list and put, and delete where it prunes.",
        examples=[{"env": "TINYKIT_VERIFIER_ACCESS_KEY_ID"}],
    )
    secret_access_key: Secret = Field(
        description="The access key's secret.",
        examples=[{"env": "TINYKIT_VERIFIER_SECRET_ACCESS_KEY"}],
    )


class VerifiedFolder(VerifiedTarget):
    """A target of the kind `directory`, as the verifier sees it."""

    kind: Literal["directory"] = Field(description="A folder.", examples=["directory"])
    path: HostPath = Field(
        description="Where the verifier has it mounted.", examples=["/mnt/backup/tinykit"]
    )


def _each_once(verifier: VerifierSettings) -> Iterator[Problem]:
    names = [target.name for target in verifier.targets]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Problem(f"targets[{number}]", f"{name} is listed twice", "remove one of the two")


def _verifies_something(verifier: VerifierSettings) -> Iterator[Problem]:
    if not verifier.targets:
        yield Problem("targets", "is empty: it would verify nothing", "name a target")


class VerifierSettings(VerifySettings):
    """One verifier: the mapping `tinykit_verifier` of a host."""

    rules = (_verifies_something, _each_once)

    targets: Annotated[
        list[Annotated[VerifiedBucket | VerifiedFolder, Discriminator("kind")]], ListLike
    ] = Field(
        description="What it verifies, and prunes: targets of instances of this inventory.",
        examples=[
            [
                {
                    "kind": "directory",
                    "instance": "apps-1.example.com",
                    "target": "disk",
                    "path": "/mnt/backup",
                }
            ]
        ],
    )
    schedule: CronSchedule = Field(
        default="41 5 * * *",
        description="When to verify the newest snapshot of each target, in this host's time zone.",
        examples=["41 5 * * *"],
    )
    jitter_minutes: int = Field(
        default=30,
        ge=0,
        le=120,
        description="Each target's turn begins up to this much later, always by the same amount.",
        examples=[30],
    )
    checks: OutsideCheckSettings = Field(
        default=OutsideCheckSettings(),
        description="The nightly look at the instances from outside.",
        examples=[{"alert_on": "medium"}],
    )
    notify: NotifySettings = Field(
        default=NotifySettings(),
        description="Whom a verification, a prune or a nightly look tells how it went; "
        "`ping_url` is for verifications here.",
        examples=[{"email": "ops@example.com"}],
    )
    unsupported_os_ok: bool = Field(
        default=False,
        description="Go on where the system is not Debian 12 or 13. Nobody has tried that.",
        examples=[False],
    )

    @property
    def instances(self) -> list[str]:
        """Names of the instances, each once, in their order."""
        return list(dict.fromkeys(target.instance for target in self.targets))


def folder_name(instance: str) -> str:
    """An instance's name as a word for paths and metrics, such as `apps-1.example.com`."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", instance).strip(".-") or "instance"


def misfits(verifier: VerifierSettings, instances: Mapping[str, Settings]) -> Iterator[Problem]:
    """What does not fit the instances of the inventory, keys relative to `tinykit_verifier`.

    Args:
        instances: the settings of the inventory's instances, by their hosts' names.
    """
    folders: dict[str, str] = {}
    for number, wanted in enumerate(verifier.targets):
        key = f"targets[{number}]"
        if folders.setdefault(folder_name(wanted.instance), wanted.instance) != wanted.instance:
            reason = f"{wanted.instance} and {folders[folder_name(wanted.instance)]} look alike"
            yield Problem(f"{key}.instance", reason, "give the hosts names that differ in letters")
        if wanted.instance not in instances:
            reason = "is no instance of this inventory"
            yield Problem(f"{key}.instance", reason, did_you_mean(wanted.instance, instances))
            continue
        yield from _misfits(verifier, wanted, instances[wanted.instance], key)


def _misfits(
    verifier: VerifierSettings, wanted: VerifiedTarget, instance: Settings, key: str
) -> Iterator[Problem]:
    targets = {target.name: target for target in instance.backup.targets}
    found = targets.get(wanted.target)
    if found is None:
        reason = f"{wanted.instance} has no such target"
        yield Problem(f"{key}.target", reason, did_you_mean(wanted.target, targets))
        return
    if not isinstance(found, S3Target | DirectoryTarget):
        reason = f"is of the kind {found.kind}, which only its own host can read"
        hint = "verify it there (`backup verify`), or name one of the kind s3 or directory"
        yield Problem(f"{key}.target", reason, hint)
        return
    if found.kind != wanted.kind:
        yield Problem(f"{key}.kind", f"is of the kind {found.kind} there", f'use "{found.kind}"')
    if found.encryption != "none" and verifier.identity is None:
        reason = f"is missing, and {wanted.name} is sealed"
        yield Problem("identity", reason, 'example: {"file": "~/tinykit-backup.key"}')


def settings_of(verifier: VerifierSettings, instance: str, settings: Settings) -> Settings:
    """What the verifier's agent has to know of one instance: no secret of the instance's own."""
    found = {target.name: target for target in settings.backup.targets}
    targets = [
        _as_seen_here(wanted, found[wanted.target])  # type: ignore[arg-type]
        for wanted in verifier.targets
        if wanted.instance == instance
    ]
    backup = settings.backup.model_copy(
        update={
            "targets": targets,
            "notify": verifier.notify,
            "verify": VerifySettings(
                schedule=verifier.schedule,
                identity=verifier.identity,
                read_data_parts=verifier.read_data_parts,
            ),
        }
    )
    checks = as_instance(verifier.checks, settings.checks.waivers)
    return without_secrets(settings).model_copy(update={"backup": backup, "checks": checks})


def _as_seen_here(wanted: VerifiedTarget, found: ArchiveTarget) -> ArchiveTarget:
    if isinstance(wanted, VerifiedBucket):
        keys = {name: getattr(wanted, name) for name in ("access_key_id", "secret_access_key")}
        return found.model_copy(update=keys)
    assert isinstance(wanted, VerifiedFolder)  # noqa: S101
    return found.model_copy(update={"path": wanted.path})


def without_secrets(section: SomeSection) -> SomeSection:
    """A copy of which nothing names a secret; only for what need not have one."""
    update: dict[str, object] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Secret):
            update[name] = None
        elif isinstance(value, Section):
            update[name] = without_secrets(value)
    return section.model_copy(update=update)
