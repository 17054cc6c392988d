"""Which names a reverse proxy passes to tinykit, read from its configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Site:
    """Some names, and whether requests for them go to one of tinykit's ports."""

    names: tuple[str, ...]
    tinykit: bool


def sites(kind: str, text: str, ports: set[str]) -> list[Site]:
    """The sites of a configuration.

    Args:
        kind: `caddy` or `nginx`.
        text: a Caddyfile, or what `nginx -T` prints.
        ports: those that tinykit can be reached at, `3000`.
    """
    blocks = _caddy_blocks(text) if kind == "caddy" else _nginx_blocks(text)
    found = [(names, body) for names, body in blocks if names]
    ours = {name for names, body in found if _passes_to(body, ports) for name in names}
    # A block that only redirects the same names to HTTPS is no site of somebody else's.
    return [Site(names, bool(ours.intersection(names))) for names, _ in found]


def _passes_to(body: str, ports: set[str]) -> bool:
    targets = re.findall(r"(?:reverse_proxy|proxy_pass)\s+([^{;\n]+)", body)
    named = {port for target in targets for port in re.findall(r":(\d+)", target)}
    return bool(named & ports)


def _caddy_blocks(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for header, body in _blocks(_COMMENT.sub("", text)):
        if header.startswith("("):
            continue  # a snippet
        yield _names(re.split(r"[,\s]+", header)), body


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """The blocks of the outermost level: what stands before the brace, and between the braces."""
    header, body, depth = "", "", 0
    for line in text.splitlines():
        opens = line.rstrip().endswith("{")
        closes = line.strip() == "}"
        if depth == 0 and opens:
            header, body = f"{header} {line.rstrip()[:-1]}".strip(), ""
        elif depth == 1 and closes:
            yield header, body
            header = ""
        elif depth == 0:
            header = f"{header}\n{line}".strip()
        else:
            body += f"{line}\n"
        depth += opens - closes
    if header:  # a file of one site needs no braces
        first, _, rest = header.partition("\n")
        yield first, rest


def _nginx_blocks(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    plain = _COMMENT.sub("", text)
    upstreams = dict(re.findall(r"\bupstream\s+(\S+)\s*\{([^}]*)\}", plain))
    for found in re.finditer(r"\bserver\s*\{", plain):
        body = _to_closing_brace(plain[found.end() :])
        names = re.findall(r"\bserver_name\s+([^;]+);", body)
        for name, servers in upstreams.items():
            for port in re.findall(r":(\d+)", servers):
                body = re.sub(
                    rf"(proxy_pass\s+\w+://){re.escape(name)}\b", rf"\1{name}:{port}", body
                )
        yield _names(" ".join(names).split()), body


def _to_closing_brace(text: str) -> str:
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return text[:place]
    return text


def _names(words: list[str]) -> tuple[str, ...]:
    plain = (re.sub(r"^\w+://|:\d+$|/.*$", "", word) for word in words)
    return tuple(dict.fromkeys(name.lower() for name in plain if _is_name(name)))


def _is_name(word: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9.-]+\.[A-Za-z][A-Za-z0-9-]*", word))
