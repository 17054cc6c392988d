"""Compares how two servers answer one list of requests: real tinykit and the contract app.

`record` sends the list to a fresh server and keeps what can be compared; `compare` tells the
differences between two recordings. What differs by nature (dates, random ids, tokens, lengths,
ports) is replaced by a word before it is kept, so a recording is a stable text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinykit_ops.errors import UsageError
from tinykit_ops.lab.contract_cases import CLAIMED, PROVISIONED, UNCLAIMED, Case
from tinykit_ops.lab.contract_client import Client
from tinykit_ops.lab.contract_wire import Answer

#: Headers of which only the presence is compared.
_PRESENCE = ("date", "etag", "last-modified", "content-length", "link", "expires")
_WORDS = (
    (re.compile(r"\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"), "<token>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "<date>"),
    (re.compile(r"_[a-z0-9]{10}(\.\w+)"), r"_<random>\1"),
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "<address>"),
)
_MAX_TEXT = 2000


@dataclass(frozen=True)
class Seen:
    """What is compared of one answer."""

    name: str
    status: int
    headers: dict[str, str]
    body: Any


def record(url: str, *, password: str | None = None) -> list[Seen]:
    """Send all cases to a server and return what was seen.

    A server that nobody has claimed is claimed half-way through; for one that is claimed already,
    `password` is that of the account (and superuser) contract@example.com, and the part about
    unclaimed servers is left out.

    Raises UnavailableError when the server does not answer or cannot be prepared.
    """
    client = Client(url) if password is None else Client(url, password=password)
    seen: list[Seen] = []
    if client.is_unclaimed():
        seen += [_look(client, case) for case in UNCLAIMED]
        client.claim()
    client.prepare()
    return seen + [_look(client, case) for case in CLAIMED]


def record_provisioned(url: str, password: str) -> list[Seen]:
    """The shorter conversation with a server that was claimed by its environment.

    `password` is that of the superuser contract@example.com. Raises UnavailableError.
    """
    client = Client(url, password=password)
    client.create_account()
    client.prepare()
    return [replace(_look(client, case), name=f"provisioned: {case.name}") for case in PROVISIONED]


def compare(first: list[Seen], second: list[Seen]) -> list[str]:
    """Return one paragraph for each request that was answered differently."""
    found = []
    known = {}
    for number, seen in enumerate(second):
        known[(seen.name, _count(second, number))] = seen
    for number, one in enumerate(first):
        other = known.pop((one.name, _count(first, number)), None)
        if other is None:
            found.append(f"{one.name}\n  only the first was asked")
        elif one != other:
            found.append("\n".join([one.name, *_differences(one, other)]))
    return found + [f"{name}\n  only the second was asked" for name, _ in known]


def save(seen: list[Seen], path: Path) -> None:
    """Write a recording as JSON."""
    path.write_text(json.dumps([asdict(one) for one in seen], indent=1, sort_keys=True) + "\n")


def load(path: Path) -> list[Seen]:
    """Read a recording. Raises UsageError if the file is none."""
    try:
        return [Seen(**one) for one in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"This is not a recording: {error}.",
            where=str(path),
            hint="`contract-diff record URL FILE` makes one.",
        ) from None


def _count(seen: list[Seen], number: int) -> int:
    return sum(1 for one in seen[:number] if one.name == seen[number].name)


def _differences(one: Seen, other: Seen) -> list[str]:
    lines = []
    if one.status != other.status:
        lines.append(f"  status: {one.status} | {other.status}")
    for name in sorted(one.headers | other.headers):
        left, right = one.headers.get(name), other.headers.get(name)
        if left != right:
            lines.append(f"  {name}: {left} | {right}")
    if one.body != other.body:
        left, right = (
            json.dumps(body, ensure_ascii=False)[:600] for body in (one.body, other.body)
        )
        lines.append(f"  body: {left}\n      | {right}")
    return lines


def _look(client: Client, case: Case) -> Seen:
    answer = client.send(case)
    plain = _without_places(client)
    headers = {
        name: "present" if name in _PRESENCE else plain(value)
        for name, value in answer.headers.items()
    }
    return Seen(case.name, answer.status, headers, _body(answer, case, plain))


def _without_places(client: Client) -> Callable[[str], str]:
    """A function that replaces what is this server's own by the name of its place."""
    own = sorted(client.places.items(), key=lambda place: -len(place[1]))
    address = client.url.split("//")[1].rstrip("/")

    def plain(text: str) -> str:
        for name, value in own:
            text = text.replace(value, f"<{name}>")
        text = text.replace(address, "<address>")
        for pattern, word in _WORDS:
            text = pattern.sub(word, text)
        return text

    return plain


def _body(answer: Answer, case: Case, plain: Callable[[str], str]) -> Any:
    if case.look == "kind":
        return None
    text = plain(answer.body.decode(errors="replace"))
    if case.look == "page" or _is_error_page(answer):
        title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)
        return {"title": title[1] if title else None}
    if case.events:
        return re.findall(r"^event: (\w+)", text, re.MULTILINE)
    try:
        value = json.loads(text)
    except ValueError:
        return text[:_MAX_TEXT]
    return _keys(value) if case.look == "keys" else _values(value)


def _is_error_page(answer: Answer) -> bool:
    return answer.status >= 400 and answer.headers.get("content-type", "").startswith("text/html")


def _keys(value: Any) -> Any:
    """Keys and types; of a list, those of its first item."""
    if isinstance(value, dict):
        return {key: _keys(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_keys(item) for item in value[:1]]
    return type(value).__name__


def _values(value: Any) -> Any:
    """Everything, but PocketBase's random record ids."""
    if isinstance(value, dict):
        return {key: _values(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_values(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9]{15}", value):
        return "<id>"
    return value
