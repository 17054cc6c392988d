"""From what an inventory says to `Settings`, or to the list of everything that is wrong with it.

pydantic stops looking at a section's rules when one of its values is wrong. So sections are read
value by value here: pydantic judges each single value, and the rules of a section judge whatever
could be read of it.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.problems import (
    Problem,
    SettingsError,
    did_you_mean,
    printable,
)
from tinykit_ops.settings.section import Partial, Section, broken_rules
from tinykit_ops.settings.wording import example_of, problems_of

SomeSection = TypeVar("SomeSection", bound=Section)


class _Broken:
    """Stands for a value that could not be read."""


_BROKEN = _Broken()


def load_settings(
    data: Mapping[str, Any], *, where: str, defaults: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings of one instance.

    Args:
        data: what the inventory says of this host (`tinykit`).
        where: the host or file, for messages.
        defaults: what its group says (`tinykit_defaults`); `data` wins, key by key.

    Raises:
        SettingsError: lists every wrong value, with its key, the reason and what to write.
    """
    problems: list[Problem] = []
    if defaults is not None and not isinstance(defaults, Mapping):
        problems.append(Problem("tinykit_defaults", "must be a mapping of settings"))
        defaults = None
    merged = merge(defaults or {}, data) if isinstance(data, Mapping) else data
    settings, wrong = _read_section(Settings, merged)
    problems += wrong
    if problems:
        raise SettingsError([problem.at(where) for problem in problems])
    return cast("Settings", settings)


def load_section(cls: type[SomeSection], data: object, *, where: str) -> SomeSection:
    """Read any other section. Raises SettingsError as `load_settings` does."""
    section, problems = _read_section(cls, data)
    if problems:
        raise SettingsError([problem.at(where) for problem in problems])
    return cast("SomeSection", section)


def merge(low: Mapping[Any, Any], high: Mapping[Any, Any]) -> dict[Any, Any]:
    """Both mappings as one: where both have a mapping, these are merged too; else `high` wins."""
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(cast("Mapping[Any, Any]", below), value) if both else value
    return merged


def _read_section(cls: type[Section], data: object) -> tuple[Section | Partial, list[Problem]]:
    """Read a section as far as that goes."""
    if isinstance(data, cls):
        return data, list(broken_rules(cls, data))
    if isinstance(data, Mapping):
        data = dict(data)
    data = cls.from_shorthand(data)
    if not isinstance(data, Mapping):
        reason = "must be a mapping in braces"
        known = ", ".join(cls.advertised())
        return Partial({}, set()), [Problem("", reason, f"its keys: {known}")]
    problems = [_unknown(key, cls) for key in data if key not in cls.model_fields]
    values: dict[str, object] = {}
    for name, field in cls.model_fields.items():
        value, wrong = _read_field(field, name, data)
        problems += [problem.below(name) for problem in wrong]
        if value is not _BROKEN:
            values[name] = value
    fields_set = {name for name in cls.model_fields if name in data}
    partial = Partial(values, fields_set)
    problems += broken_rules(cls, partial)
    if problems:
        return partial, problems
    return cls.model_construct(_fields_set=fields_set, **cast("dict[str, Any]", values)), []


def _unknown(key: object, cls: type[Section]) -> Problem:
    name = key if isinstance(key, str) and key.isidentifier() and len(key) <= 60 else printable(key)
    return Problem(name, "is not a setting", did_you_mean(str(key)[:60], cls.advertised()))


def _read_field(
    field: FieldInfo, name: str, data: Mapping[str, object]
) -> tuple[object, list[Problem]]:
    if name not in data:
        if not field.is_required():
            return field.get_default(call_default_factory=True), []
        return _BROKEN, [Problem("", "is missing", example_of(name, field))]
    value = data[name]
    section = section_of(field.annotation)
    if section is not None and not (value is None and _may_be_none(field)):
        return _read_section(section, value)
    kinds = kinds_of(field.annotation)
    if kinds and isinstance(value, list | tuple):
        return _read_members(kinds, value)
    try:
        return _adapter(field).validate_python(value), []
    except ValidationError as error:
        return _BROKEN, problems_of(error, name, field)


def _may_be_none(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


def _read_members(
    kinds: dict[str, type[Section]], members: list[object] | tuple[object, ...]
) -> tuple[object, list[Problem]]:
    """Read a list of sections of several kinds; each says its own `kind`."""
    values: list[object] = []
    problems: list[Problem] = []
    for number, member in enumerate(members):
        value, wrong = _read_member(kinds, member)
        values.append(value)
        problems += [problem.below(f"[{number}]") for problem in wrong]
    return values, problems


def _read_member(
    kinds: dict[str, type[Section]], member: object
) -> tuple[Section | Partial, list[Problem]]:
    if isinstance(member, tuple(kinds.values())):
        return cast("Section", member), []
    if not isinstance(member, Mapping):
        reason = "must be a mapping in braces"
        return Partial({}, set()), [Problem("", reason, 'example: {"kind": "s3", …}')]
    kind = member.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        reason = "is missing" if "kind" not in member else "is not a known kind"
        hint = did_you_mean(kind if isinstance(kind, str) else "", kinds)
        return Partial({}, set()), [Problem("kind", reason, hint)]
    return _read_section(kinds[kind], member)


def section_of(annotation: Any) -> type[Section] | None:
    """The section that a field holds, also where it may be None."""
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        return section_of(options[0]) if len(options) == 1 else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def kinds_of(annotation: Any) -> dict[str, type[Section]]:
    """For a list of sections that say their own `kind`: the sections by kind; else nothing."""
    if get_origin(annotation) is not list:
        return {}
    (member,) = get_args(annotation)
    if get_origin(member) is Annotated:
        member = get_args(member)[0]
    sections = [option for option in get_args(member) if section_of(option)]
    return {get_args(section.model_fields["kind"].annotation)[0]: section for section in sections}


_ADAPTERS: dict[int, TypeAdapter[Any]] = {}


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    """What judges a single value; made once a field, which live as long as the program."""
    if id(field) not in _ADAPTERS:
        annotation = field.rebuild_annotation()
        _ADAPTERS[id(field)] = TypeAdapter(
            annotation, config={"strict": True, "hide_input_in_errors": True}
        )
    return _ADAPTERS[id(field)]
