"""Where a lab host gets its packages: from where this machine gets Debian's, else the default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Source:
    address: str
    suite: str
    components: str
    signed_by: str


def debian_sources(codename: str, root: Path = Path("/")) -> list[str]:
    """sources.list lines for `codename`, made from this machine's own Debian sources.

    Returns an empty list when this machine is not a Debian, or has none: mmdebstrap then uses
    its own default mirrors.
    """
    own = _own_codename(root)
    if own is None:
        return []
    lines = []
    for source in _sources(root / "etc/apt"):
        is_own_suite = re.fullmatch(rf"{own}(-updates|-security|/updates)?", source.suite)
        is_debian = not source.signed_by or "debian-archive" in source.signed_by
        if is_own_suite and is_debian:
            option = f"[signed-by={source.signed_by}] " if source.signed_by else ""
            suite = codename + source.suite.removeprefix(own)
            lines.append(f"deb {option}{source.address} {suite} {source.components}")
    has_main = any(line.split()[-2] == codename for line in lines if line.endswith(" main"))
    return lines if has_main else []


def _own_codename(root: Path) -> str | None:
    try:
        text = (root / "etc/os-release").read_text()
    except OSError:
        return None
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    values = {key: value.strip('"') for key, value in pairs.items()}
    return values.get("VERSION_CODENAME") if values.get("ID") == "debian" else None


def _sources(apt: Path) -> Iterator[_Source]:
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            yield from _one_line_style(path.read_text(errors="replace"))
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        yield from _deb822_style(path.read_text(errors="replace"))


def _one_line_style(text: str) -> Iterator[_Source]:
    pattern = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(\S.*)$", re.M)
    for options, address, suite, components in pattern.findall(text):
        signed = re.search(r"signed-by=(\S+)", options or "")
        if "main" in components.split("#")[0].split():
            yield _Source(address, suite, "main", signed.group(1) if signed else "")


def _deb822_style(text: str) -> Iterator[_Source]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        pairs = (line.split(":", 1) for line in lines if ":" in line and line[:1].strip())
        fields = {key.lower(): value.strip() for key, value in pairs}
        is_on = fields.get("enabled", "yes").lower() not in ("no", "false")
        if not is_on or "deb" not in fields.get("types", "").split():
            continue
        if "main" not in fields.get("components", "").split():
            continue
        for address in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield _Source(address, suite, "main", fields.get("signed-by", ""))
