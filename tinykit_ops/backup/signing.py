"""Signing what a verifier found, with a key made of the private age key that it holds anyway.

So a signature proves that somebody with that private key wrote the result. A host that only makes
backups holds the public key alone, and cannot: who breaks into it cannot call a bad snapshot good.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tinykit_ops.backup.keys import Identity

PREFIX = "ed25519:"
#: Keeps the key apart from every other use of the age key (RFC 5869, "info").
_PURPOSE = b"tinykit-ops: result of a verification, 1"
SIGNER, SIGNATURE = "signer", "signature"


def public_key(identity: Identity) -> str:
    """What is named as `signed_by` in the settings, such as `ed25519:9b3f…`."""
    raw = _private_key(identity).public_key()
    return (
        PREFIX + raw.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
    )


def signed(paper: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """The paper with `signer` and `signature`."""
    with_signer = {**paper, SIGNER: public_key(identity)}
    signature = _private_key(identity).sign(_bytes_of(with_signer))
    return {**with_signer, SIGNATURE: base64.b64encode(signature).decode()}


def signer_of(paper: Mapping[str, Any]) -> str | None:
    """Who signed a paper; None when nobody did.

    Raises:
        ValueError: it says that somebody did, and they did not.
    """
    signer, signature = paper.get(SIGNER), paper.get(SIGNATURE)
    if signer is None and signature is None:
        return None
    try:
        key = bytes.fromhex(str(signer).removeprefix(PREFIX))
        Ed25519PublicKey.from_public_bytes(key).verify(
            base64.b64decode(str(signature), validate=True),
            _bytes_of({name: value for name, value in paper.items() if name != SIGNATURE}),
        )
    except (InvalidSignature, ValueError, binascii.Error):
        raise ValueError("the signature is wrong") from None
    return str(signer)


def _private_key(identity: Identity) -> Ed25519PrivateKey:
    seed = HKDF(hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(str(identity).encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _bytes_of(paper: Mapping[str, Any]) -> bytes:
    """As `jq -cS` writes it: sorted keys, no spaces, nothing escaped that need not be."""
    text = json.dumps(paper, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
