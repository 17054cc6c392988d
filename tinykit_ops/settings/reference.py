"""The reference page of all settings, `docs/settings.md`, written from the model."""

from __future__ import annotations

from collections.abc import Iterator

from tinykit_ops.settings.fields import FieldDoc, all_fields, type_words
from tinykit_ops.settings.secrets import Secret

_HEAD = """\
# Settings

<!-- Written by `tinykit-ops settings reference`; change the model in tinykit_ops/settings. -->

What the mapping `tinykit` of a host may say. `inventories/example.py` is a whole inventory to
copy. Values that several hosts share go into group data as `tinykit_defaults`
(`inventories/group_data/GROUP.py`); what the host says wins, key by key.

- `tinykit-ops settings validate INVENTORY` tells everything that is wrong, with examples.
- `tinykit-ops settings explain KEY` says what one key may hold.
- `tinykit-ops settings schema` prints a JSON schema for editors.

The last line of an inventory, `check_inventory(__file__)`, stops a run with wrong settings
before it connects to any host.

## Secrets

A secret is read on the machine that runs pyinfra, and never stands in a command line or a log.
It comes from exactly one of:

| Key | What it is | Example |
|---|---|---|
"""


def reference() -> str:
    """The page, in Markdown."""
    return _HEAD + "".join(_secret_rows()) + "".join(_sections())


def _secret_rows() -> Iterator[str]:
    for name, field in Secret.model_fields.items():
        example = f'`{{"{name}": "{(field.examples or [""])[0]}"}}`'
        if name == "value":
            shown, example = "plain text", ""
        else:
            shown = f"`{name}`"
        yield f"| {shown} | {_cell(field.description or '')} | {_cell(example)} |\n"


def _sections() -> Iterator[str]:
    docs = all_fields(inside_secrets=False)
    yield from _table("The instance", "", [doc for doc in docs if "." not in doc.key])
    for parent in docs:
        if not parent.is_section or parent.type == type_words(Secret):
            continue
        below = [doc for doc in docs if doc.key.startswith(f"{parent.key}.")]
        direct = [doc for doc in below if doc.key.count(".") == parent.key.count(".") + 1]
        if direct:
            yield from _table(f"`{parent.key}`", parent.description, direct)
        else:
            yield from _kinds(parent, below)


def _kinds(parent: FieldDoc, below: list[FieldDoc]) -> Iterator[str]:
    """A table for each kind of member of a list."""
    depth = parent.key.count(".") + 1
    for prefix in dict.fromkeys(".".join(doc.key.split(".")[: depth + 1]) for doc in below):
        kind = prefix.rsplit(".", 1)[-1]
        rows = [doc for doc in below if doc.key.startswith(f"{prefix}.")]
        yield from _table(f'`{parent.key}`, of the kind "{kind}"', parent.description, rows)


def _table(title: str, text: str, rows: list[FieldDoc]) -> Iterator[str]:
    yield f"\n## {title}\n\n"
    if text:
        yield f"{text}\n\n"
    yield "| Key | Type | Default | What it is | Example |\n|---|---|---|---|---|\n"
    for doc in rows:
        default = f"`{doc.default}`" if doc.default else "**required**"
        examples = " or ".join(f"`{example}`" for example in doc.examples)
        cells = (f"`{doc.key}`", doc.type, default, doc.description, examples)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
