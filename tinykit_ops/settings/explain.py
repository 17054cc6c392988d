"""`tinykit-ops settings explain KEY`: one key, or a section and what is in it."""

from __future__ import annotations

import textwrap

from tinykit_ops.settings.fields import FieldDoc, all_fields, children, find_fields

_WIDTH = 96


def explain(key: str) -> str:
    """What a key may hold, in words; for a section also its keys. Empty: the top of the tree.

    Raises:
        UsageError: there is no such key; the hint names the nearest one.
    """
    if not key.strip(" ."):
        top = [doc for doc in all_fields() if "." not in doc.key]
        return "\n".join(_line(doc) for doc in top)
    known = all_fields()
    named = {doc.key: doc for doc in find_fields(key)}
    chosen = [doc for doc in named.values() if not _listed_below(doc, named)]
    return "\n\n".join(_entry(doc, children(doc, known)) for doc in chosen)


def _listed_below(doc: FieldDoc, named: dict[str, FieldDoc]) -> bool:
    return any(doc.key.startswith(f"{other}.") for other in named)


def _entry(doc: FieldDoc, below: list[FieldDoc]) -> str:
    lines = [doc.key, *textwrap.wrap(doc.description, _WIDTH - 2)]
    lines.append(f"type: {doc.type}")
    lines.append(f"default: {doc.default}" if doc.default else "required")
    lines += [f"example: {example}" for example in doc.examples]
    text = lines[0] + "\n" + textwrap.indent("\n".join(lines[1:]), "  ")
    if below:
        text += "\n  below it:\n" + textwrap.indent("\n".join(_line(doc) for doc in below), "    ")
    return text


def _line(doc: FieldDoc) -> str:
    first, *_ = textwrap.wrap(doc.description, 120) or [""]
    short = first.split(". ")[0].split(": ")[0].rstrip(".:")
    return f"{doc.key}{' (required)' if doc.required else ''}: {short}"
