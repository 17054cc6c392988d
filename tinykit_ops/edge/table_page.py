"""What `tinykit-ops edge routes` prints: the route table as text, JSON, or Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tinykit_ops import layout
from tinykit_ops.edge.route import RouteClass
from tinykit_ops.edge.table import PROGRAMS, Line, Table


def as_json(tables: Iterable[Table]) -> list[dict[str, object]]:
    """The tables as plain data: `host`, `role`, `names`, `routes`."""
    return [
        {
            "host": table.host,
            "role": table.role,
            "names": list(table.names),
            "routes": [_as_mapping(line) for line in table.lines],
        }
        for table in tables
    ]


def _as_mapping(line: Line) -> dict[str, object]:
    values = {**vars(line), "class": line.classification}
    del values["classification"]
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
    }


def as_text(tables: Sequence[Table]) -> str:
    """The tables for a terminal: a block of lines for each row."""
    return "\n".join(line for table in tables for line in _text_of(table))


def _text_of(table: Table) -> Iterator[str]:
    if table.host:
        yield f"{table.host}: {', '.join(table.names)} ({table.role})"
        yield ""
    for line in table.lines:
        yield f"{line.name}  [{line.classification}]"
        facts = {
            "paths": " ".join(line.paths),
            "methods": " ".join(line.methods),
            "gate": line.gate,
            "answer": line.answered_by,
            "limit": line.limit and f"{line.limit} and address",
            "headers": "; ".join(line.headers),
            "why": line.note,
        }
        yield from (f"  {name:8} {fact}" for name, fact in facts.items() if fact)
        yield ""


_COLUMNS = (
    *("Route", "Paths", "Methods", "Class", "Who passes", "Who answers"),
    *("Limit", "Headers", "Why"),
)
_HEAD = f"""\
# Routes at the edge

<!-- Written by `tinykit-ops edge routes --format markdown`; change tinykit_ops/edge. -->

Who may reach what. Caddy and nginx are both rendered from this table, and the checks probe what it
says. `tinykit-ops edge routes --inventory FILE` prints it with the names, addresses and numbers of
your hosts. [access.md](access.md) helps to choose a mode.

- The first row that matches a request wins. Paths are compared decoded and in any case; a `*` at
  the end stands for anything, elsewhere for one segment.
- **published**: the world. **builder**, **admin**: who passes `access.builder`, `access.admin`.
  *Without the account* marks the ways in: the account that they are there to prove is not asked
  for. **answered**: the edge answers everybody, and nothing behind it is asked. **never**: 404.
- With a `builder_domain`, the published names carry only *published* rows and say 404 to the
  others, and on the builder's name the *published* rows ask for the builder's gate too.
- Limits are by address; the numbers are the defaults of `edge.limits`. Above them: 429.
- Before any row, a request whose path two programs could read as two different ones is refused
  (400): encoded slashes, dots and backslashes, double slashes, dot segments, control characters,
  double encoding.
- tinykit listens on port {layout.TINYKIT_PORT} of the loopback address, PocketBase on \
{layout.POCKETBASE_PORT}. PocketBase sees its own
  paths: `/_pb` is taken off.
"""


def as_markdown(tables: Sequence[Table]) -> str:
    """The tables as a page; docs/edge-routes.md when there is only the plain one."""
    return _HEAD + "".join(line for table in tables for line in _markdown_of(table))


def _markdown_of(table: Table) -> Iterator[str]:
    if table.host:
        yield f"\n## {table.host}: {', '.join(table.names)} ({table.role})\n"
    yield _row(_COLUMNS, before="\n")
    yield f"|{'---|' * len(_COLUMNS)}\n"
    for line in table.lines:
        cells = (
            line.name,
            "<br>".join(_code(path) for path in line.paths),
            " ".join(line.methods) or "all",
            line.classification,
            line.gate or ("nobody" if line.classification == RouteClass.NEVER else "everybody"),
            line.answered_by if line.answered_by in PROGRAMS.values() else _code(line.answered_by),
            line.limit,
            "<br>".join(line.headers),
            line.note,
        )
        yield _row(cells)


def _row(cells: Sequence[str], before: str = "") -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"{before}| {' | '.join(escaped)} |\n"


def _code(text: str) -> str:
    return f"`{text}`"
