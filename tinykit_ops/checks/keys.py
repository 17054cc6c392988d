"""What keys and secret files look like, for finding them where they should not be."""

from __future__ import annotations

import re

#: (what it is, how it looks). Long enough that placeholders such as `sk-...` do not match.
_SHAPES = {
    "an Anthropic key": r"sk-ant-[A-Za-z0-9_-]{20,}",
    "an OpenAI-style key": r"\bsk-(?!ant-)(?:proj-)?[A-Za-z0-9_-]{24,}",
    "a Google key": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
    "a Slack token": r"\bxox[abpr]-[A-Za-z0-9-]{20,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{40,}",
    "an age key": r"\bAGE-SECRET-KEY-1[A-Z0-9]{50,}",
    "a login token": r"\beyJhbGciOi[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
}
_KEYS = {name: re.compile(shape) for name, shape in _SHAPES.items()}
#: How the files look that must not be served.
_FILES = {
    "an environment file": re.compile(r"^(?:export )?[A-Z][A-Z0-9_]{2,}=\S", re.MULTILINE),
    "git's files": re.compile(r"^\[core\]|^ref: refs/", re.MULTILINE),
    "a database": re.compile(r"\ASQLite format 3"),
    "tinykit's setup marker": re.compile(r"\"(?:admin_email|auth_token|admin_password)\""),
    "the host's accounts": re.compile(r"^root:[^:\n]*:0:0:", re.MULTILINE),
    "tinykit's own package.json": re.compile(r"\"name\":\s*\"tinykit"),
}


def keys_in(text: str) -> list[str]:
    """What kinds of keys a text holds; never the keys."""
    return [name for name, shape in _KEYS.items() if shape.search(text)]


def private_file(text: str) -> str:
    """Which private file this is, or nothing."""
    return next((name for name, shape in _FILES.items() if shape.search(text)), "")
