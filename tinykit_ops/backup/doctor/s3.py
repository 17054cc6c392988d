"""What a bucket does by itself: lifecycle, versions, locks, encryption, who may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.doctor.sign import Mark, Sign
from tinykit_ops.backup.targets.s3_client import FAILURES, S3Service
from tinykit_ops.backup.targets.s3_errors import code_of
from tinykit_ops.settings.backup_targets import S3Target

_SLOW = {"GLACIER", "DEEP_ARCHIVE"}
#: What services say when a bucket simply has no such configuration.
_NONE = {
    "NoSuchLifecycleConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
}


def look_at_bucket(config: AgentConfig, settings: S3Target) -> Iterator[Sign]:
    """Read the bucket's configuration; rights to read it are often lacking, and are not needed."""
    service = S3Service(
        settings,
        access_key_id=config.secret(f"backup-{settings.name}-access-key-id"),
        secret_access_key=config.secret(f"backup-{settings.name}-secret-access-key"),
    )
    bucket = _Bucket(service, settings)
    yield from bucket.versioning()
    yield from bucket.lifecycle()
    yield from bucket.lock()
    yield from bucket.encryption()
    yield from bucket.public()


class _Bucket:
    def __init__(self, service: S3Service, settings: S3Target) -> None:
        self._s3 = service.client
        self._name = service.bucket
        self._prefix = service.prefix
        self._settings = settings
        self._versioned = False

    def _asked(
        self, about: str, right: str, call: Callable[..., Any], key: str = ""
    ) -> tuple[dict[str, Any] | None, Sign | None]:
        """(answer, None), ({} when there is no such configuration, None) or (None, why not).

        Args:
            key: what a real answer holds; some services answer a question that they do not
                understand with a list of objects.
        """
        try:
            told = dict(call(Bucket=self._name))
        except FAILURES as error:
            code = code_of(error)
            if code in _NONE:
                return {}, None
            said = f"the service does not tell ({code})"
            hint = f"to have it looked at, let these credentials {right}"
            denied = code in ("AccessDenied", "403")
            return None, Sign(Mark.UNKNOWN, about, said, hint if denied else "")
        if key and not told.get(key):
            return None, Sign(Mark.UNKNOWN, about, "the service does not understand the question")
        return told, None

    def versioning(self) -> Iterator[Sign]:
        told, why_not = self._asked(
            "versions", "s3:GetBucketVersioning", self._s3.get_bucket_versioning
        )
        if told is None:
            yield from _one(why_not)
            return
        self._versioned = told.get("Status") == "Enabled"
        if self._versioned:
            yield Sign(
                Mark.GOOD,
                "versions",
                "the bucket keeps old versions: what is deleted or overwritten can be had back",
            )
        else:
            yield Sign(
                Mark.NOTE,
                "versions",
                "the bucket keeps no old versions: what is deleted is gone",
                "versioning or object lock protects against a stolen key",
            )

    def lifecycle(self) -> Iterator[Sign]:
        told, why_not = self._asked(
            "lifecycle",
            "s3:GetLifecycleConfiguration",
            self._s3.get_bucket_lifecycle_configuration,
            "Rules",
        )
        if told is None:
            yield from _one(why_not)
            return
        rules = [rule for rule in told.get("Rules", []) if self._is_about_us(rule)]
        harm = [sign for rule in rules for sign in _harm(rule)]
        yield from harm
        if not harm:
            yield Sign(Mark.GOOD, "lifecycle", "no rule of the bucket removes backups")
        if self._versioned and not any("NoncurrentVersionExpiration" in rule for rule in rules):
            yield Sign(
                Mark.NOTE,
                "lifecycle",
                "nothing ever removes old versions: what is pruned costs on",
                "a rule with NoncurrentVersionExpiration ends them after some days",
            )

    def _is_about_us(self, rule: dict[str, Any]) -> bool:
        chosen = rule.get("Filter", {})
        prefix = chosen.get("Prefix", chosen.get("And", {}).get("Prefix", rule.get("Prefix", "")))
        near = prefix.startswith(self._prefix) or self._prefix.startswith(prefix)
        return rule.get("Status") == "Enabled" and near

    def lock(self) -> Iterator[Sign]:
        told, why_not = self._asked(
            "object lock",
            "s3:GetBucketObjectLockConfiguration",
            self._s3.get_object_lock_configuration,
            "ObjectLockConfiguration",
        )
        if told is None:
            yield from _one(why_not)
            return
        lock = told.get("ObjectLockConfiguration", {})
        enabled = lock.get("ObjectLockEnabled") == "Enabled"
        default = lock.get("Rule", {}).get("DefaultRetention", {})
        wanted = self._settings.lock_mode
        if wanted and not enabled:
            yield Sign(
                Mark.BAD,
                "object lock",
                "the settings lock objects, and the bucket was made without object lock",
                "make a bucket with object lock, or take lock_mode and lock_days out",
            )
        elif wanted:
            said = f"objects are locked for {self._settings.lock_days} days ({wanted})"
            yield Sign(Mark.GOOD, "object lock", said)
        elif default:
            length = f"{default.get('Days') or default.get('Years')} "
            length += "days" if default.get("Days") else "years"
            yield Sign(
                Mark.NOTE,
                "object lock",
                f"the bucket locks every object for {length}, the probe object and notes of "
                "prunes too: what should go before stays until then",
            )
        else:
            yield Sign(
                Mark.NOTE,
                "object lock",
                "nothing is locked: who has a key that may delete can remove every backup",
                "use a key that may not delete, or lock_mode and lock_days",
            )

    def encryption(self) -> Iterator[Sign]:
        told, why_not = self._asked(
            "at rest",
            "s3:GetEncryptionConfiguration",
            self._s3.get_bucket_encryption,
            "ServerSideEncryptionConfiguration",
        )
        if told is None:
            yield from _one(why_not)
            return
        rules = told.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        kinds = [
            one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            for one in rules
            if "ApplyServerSideEncryptionByDefault" in one
        ]
        kind = self._settings.sse or (kinds[0] if kinds else None)
        said = f"the service encrypts objects ({kind})" if kind else "the service does not encrypt"
        yield Sign(Mark.GOOD if kind else Mark.NOTE, "at rest", said)

    def public(self) -> Iterator[Sign]:
        told, why_not = self._asked(
            "public", "s3:GetBucketPolicyStatus", self._s3.get_bucket_policy_status, "PolicyStatus"
        )
        if told is None:
            yield from _one(why_not)
        elif told.get("PolicyStatus", {}).get("IsPublic"):
            yield Sign(
                Mark.BAD,
                "public",
                "the bucket's policy lets everybody in",
                "take the public statement out of the bucket's policy",
            )
        else:
            yield Sign(Mark.GOOD, "public", "the bucket's policy lets nobody in from outside")


def _harm(rule: dict[str, Any]) -> Iterator[Sign]:
    """A rule that removes backups, or puts them where no run can read them."""
    name = rule.get("ID", "without a name")
    expiry = rule.get("Expiration", {})
    if expiry.get("Days") or expiry.get("Date"):
        yield Sign(
            Mark.BAD,
            "lifecycle",
            f"rule {name!r} removes objects by their age. Uploads are stored once and shared: it "
            "removes content that new snapshots need",
            "take that rule away; `backup.retention` and `backup prune` remove what may go",
        )
    slow = {one.get("StorageClass") for one in rule.get("Transitions", [])} & _SLOW
    if slow:
        yield Sign(
            Mark.BAD,
            "lifecycle",
            f"rule {name!r} moves objects to {', '.join(sorted(slow))}, where reading takes hours",
            "take that rule away, or use GLACIER_IR, which answers at once",
        )


def _one(sign: Sign | None) -> Iterator[Sign]:
    if sign is not None:
        yield sign
