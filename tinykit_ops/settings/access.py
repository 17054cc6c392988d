"""Who may reach what: the gates in front of the builder and the administration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import ListLike, Network, Slug

Proof = Literal["account", "basic", "allowlist"]


def _no_proof_twice(proofs: list[Proof]) -> list[Proof]:
    if len(set(proofs)) != len(proofs):
        raise ValueError("names the same proof twice")
    return proofs


class Gate(Section):
    """Who may pass: a list of proofs, of which any or all must hold."""

    require: Annotated[list[Proof], ListLike, AfterValidator(_no_proof_twice)] = Field(
        default=["account"],
        min_length=1,
        description="Proofs that a visitor has to bring: `account` is a PocketBase account of "
        "this instance, `allowlist` an address in `access.allowlist`, `basic` one name and "
        "password for everybody, asked for by the browser before any page is shown.",
        examples=[["account", "allowlist"]],
    )
    match: Literal["any", "all"] = Field(
        default="all",
        description="Whether one of the proofs is enough (`any`) or every one is needed (`all`).",
        examples=["any"],
    )


class AdminGate(Gate):
    """The same in front of the administration, where an address is asked for by default."""

    require: Annotated[list[Proof], ListLike, AfterValidator(_no_proof_twice)] = Field(
        default=["allowlist"],
        min_length=1,
        description=Gate.model_fields["require"].description,
        examples=[["allowlist"]],
    )


def _allowlist_is_filled(access: AccessSettings) -> Iterator[Problem]:
    # The administration's gate asks for the allowlist by default, and with an empty one it is
    # shut for everybody, which is safe. Every other gate with the word needs the addresses.
    if access.allowlist:
        return
    gates = (("builder", access.builder), ("admin", access.admin))
    for name, gate in gates:
        if "allowlist" in gate.require and gate != AdminGate():
            yield Problem(
                "allowlist",
                f"is empty, and access.{name} requires it: nobody could pass",
                'example: "allowlist": ["203.0.113.7", "2001:db8::/48"]',
            )
            return


def _basic_password_is_used(access: AccessSettings) -> Iterator[Problem]:
    asked = "basic" in access.builder.require or "basic" in access.admin.require
    if access.basic_password is not None and not asked:
        reason = "is given, and no gate requires `basic`"
        yield Problem("basic_password", reason, 'example: "builder": {"require": ["basic"]}')


class AccessSettings(Section):
    """Who may reach the builder and the administration."""

    rules = (_allowlist_is_filled, _basic_password_is_used)

    builder: Gate = Field(
        default=Gate(),
        description="The gate in front of everything that edits apps (`/tinykit`, `/login` and "
        "its API).",
        examples=[{"require": ["account", "allowlist"], "match": "any"}],
    )
    admin: AdminGate = Field(
        default=AdminGate(),
        description="The gate in front of PocketBase's dashboard and its administration. With "
        "the default and an empty allowlist nobody passes from outside. An `account` opens the "
        "gate for whoever is logged in to tinykit; PocketBase then asks for the superuser.",
        examples=[{"require": ["allowlist"]}],
    )
    allowlist: Annotated[list[Network], ListLike] = Field(
        default=[],
        description="Addresses and networks, IPv4 and IPv6, that count as trusted.",
        examples=[["203.0.113.7", "2001:db8::/48"]],
    )
    basic_user: Slug = Field(
        default="builder", description="The name of the proof `basic`.", examples=["builder"]
    )
    basic_password: Secret | None = Field(
        default=None,
        description="The password of the proof `basic`. Left out, one is made up on the host and "
        "kept there in a file that only root can read.",
        examples=[{"env": "TINYKIT_BASIC_PASSWORD"}],
    )
