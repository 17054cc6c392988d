"""Public keys in settings: whom archives are sealed to, and who may vouch for them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pyrage
from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from tinykit_ops.settings.values import ListLike

AGE_EXAMPLE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


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


def _signer(value: str) -> str:
    text = value.strip().lower()
    if not re.fullmatch(r"ed25519:[0-9a-f]{64}", text):
        raise ValueError("must be `ed25519:` and 64 hexadecimal digits")
    return text


SIGNER_EXAMPLE = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
Signer = Annotated[str, AfterValidator(_signer)]


def signed_by() -> list[str]:
    """The field `signed_by` of a target for archives."""
    field: list[str] = Field(
        default=[],
        description="Who may say that a snapshot was verified: public keys, as `tinykit-ops backup "
        "signer` prints them. When some are named, results that others signed, or nobody, do not "
        "count. Left out, whoever may write to the target is believed.",
        examples=[[SIGNER_EXAMPLE]],
    )
    return field


Signers = Annotated[list[Signer], ListLike]
