"""Where backups go: one section a kind of target."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal

import pyrage
from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import HostPath, Region, Slug, WebAddress

_AGE_EXAMPLE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def _recipients(value: object) -> str | list[str]:
    """`"none"`, or age public keys. A private key is refused without being shown."""
    if value == "none":
        return "none"
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or not value:
        raise ValueError('must be a list of age public keys, or "none"')
    keys = [_recipient(key) for key in value]
    if len(set(keys)) != len(keys):
        raise ValueError("names the same key twice")
    return keys


def _recipient(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError("holds something that is not text in quotes")
    if key.strip().upper().startswith("AGE-SECRET-KEY"):
        raise ValueError(
            "holds a PRIVATE key: keep it off the host, and give the public one (age1…)"
        )
    try:
        pyrage.x25519.Recipient.from_str(key.strip())
    except Exception:  # pyrage raises a class of its own for each kind of fault
        raise ValueError("holds something that is not an age public key (age1…)") from None
    return key.strip()


def _bucket(value: str) -> str:
    """Amazon's rules for general purpose buckets, which every S3 service keeps."""
    text = value.strip()
    if not 3 <= len(text) <= 63:
        raise ValueError("must have 3 to 63 characters")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", text) or ".." in text:
        raise ValueError(
            "must be lower-case letters, digits, dashes and single dots, and start and end with "
            "a letter or digit"
        )
    try:
        ip_address(text)
    except ValueError:
        return text
    raise ValueError("must not look like an IP address")


def _prefix(value: str) -> str:
    text = value.strip().strip("/")
    if len(text) > 200 or not re.fullmatch(r"[A-Za-z0-9!_.*'()/-]*", text):
        raise ValueError("must be at most 200 letters, digits and ! _ . * ' ( ) / -")
    if any(part in ("", ".", "..") for part in text.split("/")) and text:
        raise ValueError("has an empty or dotted part")
    return f"{text}/" if text else ""


Encryption = Annotated[
    Literal["none"] | list[str],
    PlainValidator(_recipients),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "none"},
                {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^age1"}},
            ]
        }
    ),
]
TargetName = Annotated[
    Slug, Field(description="A name for logs, metrics and `--target`.", examples=["offsite"])
]


class S3Target(Section):
    """A bucket of any S3-compatible service."""

    kind: Literal["s3"] = Field(description="A bucket.", examples=["s3"])
    name: TargetName
    bucket: Annotated[str, AfterValidator(_bucket)] = Field(
        description="The bucket; it has to exist.", examples=["acme-tinykit-backups"]
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="",
        description="Folder in the bucket, so that instances can share one.",
        examples=["apps-1/"],
    )
    endpoint: WebAddress | None = Field(
        default=None,
        description="Address of the service; Amazon's when left out.",
        examples=["https://s3.eu-central-003.backblazeb2.com"],
    )
    region: Region = Field(
        default="us-east-1", description="The bucket's region.", examples=["eu-central-1"]
    )
    access_key_id: Secret = Field(
        description="Id of an access key that may write to the bucket, and better not delete.",
        examples=[{"env": "TINYKIT_S3_ACCESS_KEY_ID"}],
    )
    secret_access_key: Secret = Field(
        description="The access key's secret.", examples=[{"env": "TINYKIT_S3_SECRET_ACCESS_KEY"}]
    )
    encryption: Encryption = Field(
        description='Public keys (`age1…`) that backups are sealed to, or the word "none". It has '
        "to be said, because a bucket is somebody else's computer. `age-keygen` makes a pair; "
        "the private key stays away from the host.",
        examples=[[_AGE_EXAMPLE], "none"],
    )


class DirectoryTarget(Section):
    """A folder on another disk or mount."""

    kind: Literal["directory"] = Field(description="A folder.", examples=["directory"])
    name: TargetName
    path: HostPath = Field(
        description="Absolute path on the host.", examples=["/mnt/backup/tinykit"]
    )
    encryption: Encryption = Field(
        default="none",
        description='Public keys (`age1…`) that backups are sealed to, or "none".',
        examples=[[_AGE_EXAMPLE], "none"],
    )


Target = Annotated[S3Target | DirectoryTarget, Field(discriminator="kind")]
