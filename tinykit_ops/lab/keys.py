"""The lab's own keys: nothing of the user's is used, nothing is trusted on first use."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tinykit_ops.lab.state import write_private


def ensure_ssh_key(path: Path, comment: str) -> str:
    """Make an ed25519 key pair at `path` and `path`.pub unless it is there.

    Returns the public key as one line of authorized_keys.
    """
    public = path.with_name(f"{path.name}.pub")
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        private_text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        ).decode()
        write_private(path, private_text)
    # The public half always follows from the private one: a crash between the two heals.
    loaded = serialization.load_ssh_private_key(path.read_bytes(), password=None)
    line = loaded.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    text = f"{line.decode()} {comment}"
    write_private(public, text + "\n")
    return text


def write_known_hosts(path: Path, hosts: Iterable[tuple[Iterable[str], str]]) -> None:
    """Pin host keys: for each host its names and addresses, and its public key line."""
    lines = [f"{','.join(names)} {' '.join(key.split()[:2])}" for names, key in hosts]
    write_private(path, "".join(f"{line}\n" for line in lines))


def ensure_password(path: Path) -> None:
    """Make a file with a random password (144 bits) unless it is there."""
    if not path.exists():
        write_private(path, secrets.token_hex(18) + "\n")  # no hyphen first: it becomes an argument


def ensure_age_key(path: Path) -> str:
    """Make an age identity at `path` unless it is there. Returns its public recipient."""
    if not path.exists():
        write_private(path, f"{pyrage.x25519.Identity.generate()}\n")
    identity = pyrage.x25519.Identity.from_str(path.read_text().strip())
    return str(identity.to_public())
