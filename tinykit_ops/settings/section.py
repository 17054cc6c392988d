"""The base of every group of settings, and the rules that look at several values at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from tinykit_ops.settings.problems import Problem

#: A rule reads a section and yields what is wrong with it, keys relative to that section.
Rule = Callable[[Any], Iterator[Problem]]


class Section(BaseModel):
    """A group of settings: unknown keys are errors, values do not change later."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # pydantic would print the wrong value, secret or not
        strict=True,  # "22" is not a port and 1 is not a yes: a typo should be seen
    )

    #: What has to hold between the values of this section.
    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def advertised(cls) -> list[str]:
        """The keys to name in a hint."""
        return list(cls.model_fields)

    @classmethod
    def from_shorthand(cls, data: object) -> object:
        """Turn a short form of this section into the mapping it stands for."""
        return data

    @model_validator(mode="before")
    @classmethod
    def _expand_shorthand(cls, data: object) -> object:
        return cls.from_shorthand(data)

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        problems = list(broken_rules(type(self), self))
        if problems:
            raise ValueError("; ".join(f"{p.key}: {p.reason}" for p in problems))
        return self


class _UnreadableError(Exception):
    """A rule asked for a value that is wrong itself."""


class Partial:
    """A section of which some values are wrong: the right ones can be read as usual.

    A rule that asks for one of the wrong ones is left out, so that each mistake is told once.
    """

    def __init__(self, values: dict[str, object], fields_set: set[str]) -> None:
        self.__dict__.update(values)
        self.model_fields_set = fields_set

    def __getattr__(self, name: str) -> object:
        raise _UnreadableError(name)


def broken_rules(section: type[Section], values: Section | Partial) -> Iterator[Problem]:
    """What is wrong between the values of a `section`, as far as they could be read."""
    for rule in section.rules:
        try:
            yield from rule(values)
        except _UnreadableError:
            continue
