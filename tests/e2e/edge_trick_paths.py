"""Path tricks in the target of a request: spellings, slashes and dots, endings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from edge_cases import U
from edge_trick_kinds import Trick, by_path


def path_tricks() -> Iterator[Trick]:
    """Every trick of this kind."""
    yield from _names()
    yield from _spellings()
    yield from _slashes_and_dots()
    yield from _ends()


def _names() -> Iterator[Trick]:
    """Other names of the collection of superusers, which PocketBase takes for the same."""
    for name, other in {
        "long s": "_%C5%BFuperusers",
        "two long s": "_%C5%BFuperu%C5%BFers",
        "long s as it is": "_\xc5\xbfuperusers",
        "capitals": "_SUPERUSERS",
        "a letter encoded": "_s%75perusers",
        "its id": "pbc_3142635823",
        "its id in capitals": "PBC_3142635823",
        "a space behind": "_superusers%20",
        "a wide space behind": "_superusers%C2%A0",
        "a null behind": "_superusers%00",
        "fullwidth": _fullwidth("_superusers"),
        "a wide underline": "%EF%BC%BFsuperusers",
        "a percent for like": "_superuser%25",
        "an underline for like": "_superuser_",
        "a quote": "_superusers'",
        "a filter": "_superusers?filter=id!=''",
    }.items():
        yield by_path(
            f"superusers by {name}", lambda p, other=other: p.replace("_superusers", other)
        )


def _spellings() -> Iterator[Trick]:
    yield by_path("as it is", lambda p: p)
    yield by_path("first letter encoded", lambda p: _first_letter(p, _encoded))
    yield by_path("every letter encoded", lambda p: re.sub(r"[a-z]", lambda m: _encoded(m[0]), p))
    yield by_path("upper-case hex", lambda p: _first_letter(p, lambda c: _encoded(c).upper()))
    yield by_path("encoded twice", lambda p: _first_letter(p, lambda c: f"%25{ord(c):02x}"))
    yield by_path("encoded three times", lambda p: _first_letter(p, lambda c: f"%2525{ord(c):02x}"))
    yield by_path(
        "percent itself hidden", lambda p: _first_letter(p, lambda c: f"%2%35{ord(c):02x}")
    )
    yield by_path("last segment encoded", lambda p: _last(p, _encoded))
    yield by_path("upper case", str.upper)
    yield by_path("one capital", lambda p: _first_letter(p, str.upper))
    yield by_path("encoded capital", lambda p: _first_letter(p, lambda c: _encoded(c.upper())))
    yield by_path(
        "mixed case", lambda p: "".join(c.upper() if i % 2 else c for i, c in enumerate(p))
    )
    yield by_path("fullwidth letters", _fullwidth)
    yield by_path("dotless i", lambda p: p.replace("i", "%C4%B1"))
    yield by_path("long s", lambda p: p.replace("s", "%C5%BF"))
    yield by_path("kelvin sign", lambda p: p.replace("k", "%E2%84%AA"))
    yield by_path("%u escapes", lambda p: _first_letter(p, lambda c: f"%u00{ord(c):02x}"))
    yield by_path(
        "overlong letter", lambda p: _first_letter(p, lambda c: f"%c1%{0x80 | ord(c) & 63:02x}")
    )
    yield by_path("overlong slash", lambda p: _second(p, "%c0%af"))
    yield by_path("broken escape behind", lambda p: p + "%")
    yield by_path("broken escape before", lambda p: "/%zz/.." + p)
    yield by_path("soft hyphen", lambda p: _second(p, "%C2%AD/"))
    yield by_path("raw byte above 127", lambda p: p + "\xa0")
    yield by_path("byte order mark", lambda p: "/%EF%BB%BF" + p[1:])


def _slashes_and_dots() -> Iterator[Trick]:
    yield by_path("double slash before", lambda p: "/" + p)
    yield by_path("triple slash before", lambda p: "//" + p)
    yield by_path("double slash inside", lambda p: _second(p, "//"))
    yield by_path("double slash behind", lambda p: p + "//")
    yield by_path("encoded slash before", lambda p: "/%2f" + p[1:])
    yield by_path("encoded slash inside", lambda p: _second(p, "%2f"))
    yield by_path("encoded slash inside, capital", lambda p: _second(p, "%2F"))
    yield by_path("slash encoded twice", lambda p: _second(p, "%252f"))
    yield by_path("only encoded slashes", lambda p: "/" + p[1:].replace("/", "%2f"))
    yield by_path("encoded slash behind", lambda p: p + "%2f")
    yield by_path("backslash before", lambda p: "/\\" + p[1:])
    yield by_path("backslash for the first slash", lambda p: "\\" + p[1:])
    yield by_path("backslash inside", lambda p: _second(p, "\\"))
    yield by_path("encoded backslash inside", lambda p: _second(p, "%5c"))
    yield by_path("backslash and dots", lambda p: f"/x\\..{p}")
    yield by_path("encoded backslash and dots", lambda p: f"/x%5c..{p}")
    yield by_path("dot segment before", lambda p: "/." + p)
    yield by_path("dot segment inside", lambda p: _second(p, "/./"))
    yield by_path("dot segment behind", lambda p: p + "/.")
    yield by_path("up and down", lambda p: "/x/.." + p)
    yield by_path("up from the assets", lambda p: "/_tk/assets/.." + "/.." + p)
    yield by_path("up above the root", lambda p: "/../.." + p)
    yield by_path("up from behind", lambda p: p + "/x/..")
    yield by_path("encoded dots", lambda p: "/x/%2e%2e" + p)
    yield by_path("half encoded dots", lambda p: "/x/.%2e" + p)
    yield by_path("dots encoded twice", lambda p: "/x/%252e%252e" + p)
    yield by_path("encoded dots and slash", lambda p: "/x/%2e%2e%2f" + p[1:])
    yield by_path("up from the data", lambda p: f"/_tk/data/{U}/x/%2e%2e/%2e%2e/%2e%2e/%2e%2e{p}")
    yield by_path("one encoded dot", lambda p: "/%2e" + p)
    yield by_path("through PocketBase's prefix", lambda p: "/_pb/.." + p)
    yield by_path("PocketBase's prefix twice", lambda p: "/_pb" + p)
    yield by_path("prefix by capitals", lambda p: p.replace("/_pb", "/_PB"))
    yield by_path("prefix encoded", lambda p: p.replace("/_pb", "/%5fpb"))
    yield by_path("prefix half a segment", lambda p: p.replace("/_pb/", "/_pb"))
    yield by_path("trailing slash", lambda p: p.rstrip("/") + "/")
    yield by_path("no trailing slash", lambda p: p.rstrip("/"))
    yield by_path("trailing dot", lambda p: p.rstrip("/") + ".")
    yield by_path("trailing encoded dot", lambda p: p.rstrip("/") + "%2e")
    yield by_path("three dots before", lambda p: "/..." + p)
    yield by_path("dots and semicolon", lambda p: "/x/..;" + p)


def _ends() -> Iterator[Trick]:
    yield by_path("__data.json", lambda p: p.rstrip("/") + "/__data.json")
    yield by_path("__data.json encoded", lambda p: p.rstrip("/") + "/__data%2ejson")
    yield by_path("__data.json, a letter encoded", lambda p: p.rstrip("/") + "/__d%61ta.json")
    yield by_path(".html__data.json", lambda p: p.rstrip("/") + ".html__data.json")
    yield by_path("__route.js", lambda p: p.rstrip("/") + "/__route.js")
    yield by_path("matrix parameter", lambda p: p.rstrip("/") + ";x=1")
    yield by_path("matrix parameter inside", lambda p: _second(p, ";x=1/"))
    yield by_path("matrix parameter before", lambda p: "/;x=1" + p)
    yield by_path("encoded semicolon", lambda p: p.rstrip("/") + "%3bx=1")
    yield by_path("encoded question mark", lambda p: p.rstrip("/") + "%3fx=1")
    yield by_path("question mark in the middle", lambda p: "/?" + p)
    yield by_path("public path in the query", lambda p: p + "?/../_tk/assets/placeholder.jpg")
    yield by_path("encoded hash", lambda p: p.rstrip("/") + "%23x")
    yield by_path("hash", lambda p: p + "#/_tk/assets/placeholder.jpg")
    yield by_path("hash before", lambda p: "/_tk/assets/placeholder.jpg#/.." + p)
    yield by_path("encoded null behind", lambda p: p.rstrip("/") + "%00")
    yield by_path("encoded null and a suffix", lambda p: p.rstrip("/") + "%00.jpg")
    yield by_path("null before", lambda p: "/%00" + p)
    yield by_path("raw null", lambda p: p + "\x00")
    yield by_path("encoded newline", lambda p: _second(p, "%0a"))
    yield by_path("encoded tab inside", lambda p: _first_letter(p, lambda c: c + "%09"))
    yield by_path("raw tab inside", lambda p: _first_letter(p, lambda c: c + "\t"))
    yield by_path("raw vertical tab", lambda p: _first_letter(p, lambda c: c + "\x0b"))
    yield by_path("encoded carriage return", lambda p: p + "%0d%0ax-a:%201")
    yield by_path("encoded space behind", lambda p: p + "%20")
    yield by_path("space in the target", lambda p: p + " /x")
    yield by_path("suffix of a picture", lambda p: p.rstrip("/") + ".jpg")
    yield by_path("format suffix", lambda p: p.rstrip("/") + ".json")
    yield by_path("tilde behind", lambda p: p.rstrip("/") + "~")
    yield by_path("colon before", lambda p: "/:" + p)
    yield by_path("at sign", lambda p: "/@" + p)
    yield by_path("star", lambda p: "/*" + p)


def _encoded(text: str) -> str:
    return "".join(f"%{ord(letter):02x}" for letter in text)


def _last(path: str, change: Callable[[str], str]) -> str:
    """The last segment that has letters, changed."""
    head, slash, tail = path.rstrip("/").rpartition("/")
    return head + slash + change(tail) + ("/" if path.endswith("/") else "")


def _second(path: str, insert: str) -> str:
    """Something between the first and the second segment."""
    parts = path.split("/", 2)
    return f"/{parts[1]}{insert}{parts[2]}" if len(parts) > 2 else f"/{parts[1]}{insert}"


def _fullwidth(text: str) -> str:
    """Letters that some readers fold to ASCII, percent-encoded."""
    return "".join(
        "".join(f"%{byte:02X}" for byte in chr(ord(letter) + 0xFEE0).encode())
        if letter.isalpha()
        else letter
        for letter in text
    )


def _first_letter(path: str, change: Callable[[str], str]) -> str:
    return f"/{change(path[1])}{path[2:]}"
