"""How a request path is read before it is compared with the route table.

tinykit (SvelteKit behind Node's URL parser), PocketBase (Go) and the proxies each read a strange
path a little differently. A path is therefore brought to the one form that any of them could
make of it: what the strictest reader would close must not be open because of a spelling.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from urllib.parse import unquote

#: Request targets that no honest client sends, as the proxies refuse them (400) before anything
#: else: what two readers could take for two different paths. Asked of the target as it came, up to
#: its query. RE2, PCRE and Python read it alike, and it holds nothing that the quoting of Caddy or
#: nginx would change (no braces, no spaces, no doubled backslashes).
TRICKS = (
    r"(?i)^(?:[^/]|$|"  # `http://host/x`, `*`, nothing at all
    # PocketBase folds names as Unicode does: `_%C5%BFuperusers` (a long s) is `_superusers` to
    # it. No path of its own goes beyond ASCII.
    r"/_pb[^?]*(?:%[89a-f]|(?-i:[^\x00-\x7f]))|"
    r"[^?]*(?:"
    r"//|/\.\.?(?:/|[?]|$)|"  # `//`, `/.`, `/..`
    r"\x5c|#|[\x00-\x20\x7f]|"  # a backslash is a slash to Node; a fragment is never sent
    r"%(?:2f|5c|2e|[01][0-9a-f]|7f|"  # the same, encoded
    r"25[0-9a-f][0-9a-f])))"  # and encoded twice
)


def is_trick(raw_target: str) -> bool:
    """Does an edge refuse this request target, whoever asks?

    Args:
        raw_target: as on the request line, e.g. `/x?y=1`; nothing decoded.
    """
    return re.search(TRICKS, raw_target) is not None


def normalise(path: str) -> str:
    """The canonical form of a request path.

    Percent-decoding (until nothing is left to decode), backslashes as slashes (Node's URL parser
    reads `/x\\..\\tinykit` as `/tinykit`), no query or fragment, no control characters, double
    slashes merged, dot segments resolved, lower case, no trailing slash (except the root's).

    Args:
        path: as on the request line, e.g. `/%74inykit//studio/?id=1`.
    """
    decoded = _decode_fully(re.split(r"[?#]", path, maxsplit=1)[0])
    decoded = re.split(r"[?#]", decoded, maxsplit=1)[0]
    decoded = re.sub(r"[\x00-\x1f\x7f]", "", decoded).replace("\\", "/")
    kept: list[str] = []
    for segment in decoded.split("/"):
        if segment == "..":
            kept[-1:] = []
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept).lower()


def _decode_fully(text: str) -> str:
    for _ in range(8):  # nobody nests deeper in good faith, and each round shortens the text
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    return text


def matches(pattern: str, path: str) -> bool:
    """Does a normalised path match a pattern of the table?

    A pattern is exact (`/login`), a prefix when its only `*` is the last character
    (`/tinykit/*`), else a glob in which `*` stands for one segment or part of one
    (`/api/projects/*/export`). This is how Caddy's `path` matcher reads it too, so a pattern can
    be rendered as it stands.

    Args:
        pattern: lower case.
        path: what `normalise` returned.
    """
    if "*" not in pattern:
        return path == pattern
    if pattern.endswith("*") and pattern.count("*") == 1:
        # `/tinykit/*` is also asked about `/tinykit/`, which `normalise` makes `/tinykit`.
        return path.startswith(pattern[:-1]) or path == pattern[:-1].rstrip("/")
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(map(_segment_matches, wanted, given))


def _segment_matches(wanted: str, given: str) -> bool:
    return fnmatchcase(given, re.sub(r"\[", "[[]", wanted))
