"""PocketBase's API rules, read: does a rule keep out whoever has no account?

To a guest every `@request.auth.…` is empty, so `owner = @request.auth.id` lets a guest at each
record without an owner, and `@request.auth.role != 'x'` lets a guest at all of them.
"""

from __future__ import annotations

import re
from collections.abc import Set
from enum import StrEnum

_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_COMMENT = re.compile(r"//[^\n]*")
#: Of somebody with an account, this is not empty; or it is something that nothing empty is.
_ACCOUNT = re.compile(
    r"@request\.auth\.[\w.]+\s*(?:\??!=\s*(?:''|null)|\??=\s*(?:'…'|true|[1-9]\d*))",
    re.IGNORECASE,
)
_OWNER = re.compile(
    r"(?P<left>\w+)(?:\.id)?\s*\??=\s*@request\.auth\.id"
    r"|@request\.auth\.id\s*\??=\s*(?P<right>\w+)(?:\.id)?"
)
_WORD = re.compile(r"[@A-Za-z_][\w.:@]*")
#: Every record has these, so that conditions on them alone say nothing about who asks.
_EVERYWHERE = frozenset({"id", "created", "updated", "collectionId", "collectionName"})
_CONSTANTS = frozenset({"true", "false", "null"})


class Guests(StrEnum):
    """What a rule does with people who have no account."""

    KEPT_OUT = "kept out"
    LET_IN = "let in"
    UNCLEAR = "unclear"  #: to what some records they may have a way, or it takes a person to tell


def guests_by(rule: str, never_empty: Set[str], *, private: bool) -> Guests:
    """What a rule does with guests.

    Args:
        rule: of a collection, no locked one; the empty one lets everybody pass.
        never_empty: fields of which no record of the collection lacks a value.
        private: the collection is PocketBase's or tinykit's, where no condition on the records
            themselves is meant to open some of them to guests.
    """
    # What is quoted joins nothing and names nothing.
    plain = _COMMENT.sub(" ", _LITERAL.sub(_short, rule))
    return _either(plain, never_empty, private)


def _short(literal: re.Match[str]) -> str:
    return "'…'" if literal[0][1:-1] else "''"


def _either(text: str, never_empty: Set[str], private: bool) -> Guests:
    """Of alternatives, one that lets guests in is enough."""
    found = {_all_of(each, never_empty, private) for each in _split(text, "||")}
    return min(found, key=[Guests.LET_IN, Guests.UNCLEAR, Guests.KEPT_OUT].index)


def _all_of(text: str, never_empty: Set[str], private: bool) -> Guests:
    """Of conditions that all have to hold, one that keeps guests out is enough."""
    found = {_condition(each.strip(), never_empty, private) for each in _split(text, "&&")}
    return min(found, key=[Guests.KEPT_OUT, Guests.UNCLEAR, Guests.LET_IN].index)


def _condition(text: str, never_empty: Set[str], private: bool) -> Guests:
    if text.startswith("(") and text.endswith(")"):
        return _either(text[1:-1], never_empty, private)
    if _ACCOUNT.fullmatch(text):
        return Guests.KEPT_OUT
    if owner := _OWNER.fullmatch(text):
        named = owner["left"] or owner["right"]
        return Guests.KEPT_OUT if named in {"id", *never_empty} else Guests.UNCLEAR
    words = set(_WORD.findall(text)) - _CONSTANTS
    asks_caller = any(word.startswith("@") for word in words)
    opens = private or words <= _EVERYWHERE
    return Guests.LET_IN if opens and not asks_caller else Guests.UNCLEAR


def _split(text: str, operator: str) -> list[str]:
    """Split where an operator is in no brackets."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and text.startswith(operator, at):
            parts.append(text[start:at])
            start = at + len(operator)
    return [*parts, text[start:]]
