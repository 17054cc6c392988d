"""pydantic's verdict on a single value, in words for a person; the value itself is never shown.

Messages of our own validators (`values.py`) are taken as they are: those show what they judged
only where it cannot be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tinykit_ops.settings.problems import Problem, did_you_mean

_TYPES = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number, without quotes",
    "bool_type": "must be True or False",
    "list_type": "must be a list in square brackets",
    "dict_type": "must be a mapping in braces",
    "none_required": "must be None",
    "string_unicode": "holds a character that does not exist",
}


def problems_of(error: ValidationError, name: str, field: FieldInfo) -> list[Problem]:
    """What `error` says of a field's value; keys are relative to the field."""
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False, include_input=True):
        key = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" if str(part).isidentifier() else ""
            for part in detail["loc"]
            if part != "[key]"
        ).lstrip(".")
        if detail["type"] in ("literal_error",) and "[key]" in detail["loc"]:
            key = ""
        hint = _near(detail) or example_of(name, field)
        found.setdefault(key, Problem(key, _reason(detail), hint))
    return list(found.values())


def example_of(name: str, field: FieldInfo) -> str:
    """`example: "name": …`, ready to be copied into an inventory."""
    if not field.examples:
        return ""
    return f'example: "{name}": ' + ", or ".join(as_python(value) for value in field.examples)


def as_python(value: object) -> str:
    """A value as it is written in an inventory."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{as_python(key)}: {as_python(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(as_python(item) for item in value)}]"
    if isinstance(value, int):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)


def _reason(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in _TYPES:
        return _TYPES[kind]
    if kind == "literal_error":
        return f"must be one of: {_choices(context)}"
    if kind == "too_short":
        return "is empty" if not context["actual_length"] else "has too few entries"
    if kind == "too_long":
        return f"has more than {context['max_length']} entries"
    if kind == "greater_than_equal":
        return f"must be {context['ge']} or more"
    if kind == "less_than_equal":
        return f"must be {context['le']} or less"
    return "cannot be read"


def _choices(context: Mapping[str, Any]) -> str:
    return str(context["expected"]).replace(" or ", ", ").replace("'", '"')


def _near(detail: ErrorDetails) -> str:
    """A choice that the value may have been meant to be."""
    if detail["type"] != "literal_error" or not isinstance(detail["input"], str):
        return ""
    choices = [word.strip(' "') for word in _choices(detail["ctx"]).split(",")]
    guess = did_you_mean(detail["input"][:60].lower(), choices)
    return guess if guess.startswith("did you") else ""
