"""What the model knows of each key, as words: for `settings explain` and the reference page."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tinykit_ops.errors import UsageError
from tinykit_ops.settings.load import kinds_of, section_of
from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.problems import did_you_mean, join_key, printable
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.wording import as_python

_WORDS = {
    str: "text",
    SecretStr: "text",
    int: "whole number",
    bool: "True or False",
    type(None): "None",
}


@dataclass(frozen=True)
class FieldDoc:
    """One key of `tinykit`.

    Attributes:
        key: dotted; members of a list of several kinds go by kind: `backup.targets.s3.bucket`.
        type: in words, with its bounds.
        default: as Python; empty when the key is required.
        examples: as Python.
        is_section: other keys live below this one.
    """

    key: str
    type: str
    default: str
    description: str
    examples: tuple[str, ...]
    is_section: bool

    @property
    def required(self) -> bool:
        """Has it to be given?"""
        return not self.default


def all_fields(*, inside_secrets: bool = True) -> list[FieldDoc]:
    """Every key in the order of the model; a section stands before what is in it.

    Args:
        inside_secrets: also list `env`, `file`, … below each secret.
    """
    return list(_below(Settings, "", inside_secrets))


def find_fields(asked: str) -> list[FieldDoc]:
    """The keys that a person means by a dotted path, each followed by what is directly below it.

    A list index or a target's kind may be left out or given: `backup.targets[0].bucket`.

    Raises:
        UsageError: there is no such key; the hint names the nearest one.
    """
    wanted = re.sub(r"\[\d*\]", "", asked.strip()).removeprefix("tinykit.").strip(".")
    known = all_fields()
    found = [doc for doc in known if wanted in (doc.key, _without_kind(doc.key))]
    if not found:
        keys = {doc.key for doc in known}
        raise UsageError(
            f"there is no setting {printable(asked)}",
            hint=_nearest(wanted, keys),
        )
    return [doc for match in found for doc in (match, *children(match, known))]


def children(parent: FieldDoc, known: list[FieldDoc]) -> list[FieldDoc]:
    """The keys directly below one; below a list of kinds, those of each kind."""
    below = [doc for doc in known if doc.key.startswith(f"{parent.key}.")]
    depth = min((doc.key.count(".") for doc in below), default=0)
    return [doc for doc in below if doc.key.count(".") == depth]


def _nearest(wanted: str, keys: set[str]) -> str:
    guess = did_you_mean(wanted, keys)
    if guess.startswith("did you mean"):
        return guess
    last = wanted.rsplit(".", 1)[-1]
    same = sorted(key for key in keys if last and key.rsplit(".", 1)[-1] == last)
    if same:
        return f'did you mean "{same[0]}"?'
    return "`tinykit-ops settings reference` lists every key"


def _without_kind(key: str) -> str:
    return re.sub(r"^(backup\.targets)\.[a-z0-9]+(?=\.)", r"\1", key)


def _below(cls: type[Section], parent: str, inside_secrets: bool) -> Iterator[FieldDoc]:
    for name, field in cls.model_fields.items():
        key = join_key(parent, name)
        section, kinds = section_of(field.annotation), kinds_of(field.annotation)
        yield _doc(key, field, is_section=bool(section or kinds))
        if section is not None and (inside_secrets or section is not Secret):
            yield from _below(section, key, inside_secrets)
        for kind, member in kinds.items():
            yield from _below(member, join_key(key, kind), inside_secrets)


def _doc(key: str, field: FieldInfo, *, is_section: bool) -> FieldDoc:
    default = "" if field.is_required() else as_python(_plain(field.get_default()))
    if is_section and default not in ("", "None", "[]"):
        default = "{}"  # every key below says its own
    return FieldDoc(
        key=key,
        type=_type(field),
        default=default,
        description=field.description or "",
        examples=tuple(as_python(example) for example in field.examples or ()),
        is_section=is_section,
    )


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _type(field: FieldInfo) -> str:
    words = type_words(field.annotation)
    bounds = _bounds(field.metadata, counted=get_origin(field.annotation) is list)
    return f"{words}, {bounds}" if bounds else words


def _bounds(metadata: list[Any], *, counted: bool) -> str:
    low = high = None
    for limit in metadata:
        if isinstance(limit, annotated_types.Ge | annotated_types.MinLen):
            low = limit.ge if isinstance(limit, annotated_types.Ge) else limit.min_length
        if isinstance(limit, annotated_types.Le | annotated_types.MaxLen):
            high = limit.le if isinstance(limit, annotated_types.Le) else limit.max_length
    noun = " entries" if counted else ""
    if low is not None and high is not None:
        return f"{low} to {high}{noun}"
    if low == 1 and counted:
        return "not empty"
    return f"{low} or more{noun}" if low is not None else ""


def type_words(annotation: Any) -> str:
    """A type in words: `list of networks`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(parts[0])
    if kinds_of(annotation):
        return "list of mappings, each with a kind: " + _quoted(kinds_of(annotation))
    if origin is Literal:
        return ("one of " if len(parts) > 1 else "") + _quoted(parts)
    if origin is list:
        return f"list of {type_words(parts[0])}".replace("of network", "of networks")
    if origin is dict:
        return f"mapping of {type_words(parts[0])} to {type_words(parts[1])}"
    if set(parts) == {IPv4Network, IPv6Network}:
        return "network"
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(part) for part in parts if part is not type(None))
    if annotation is Secret:
        return "secret"
    return "section" if section_of(annotation) else _WORDS[annotation]


def _quoted(words: Mapping[str, Any] | tuple[Any, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)
