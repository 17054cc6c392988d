"""What of this machine's own configuration a lab host needs to reach package indexes as it does.

A machine behind a proxy, a mirror or an inspecting firewall is configured for it; a host inside
that machine needs the same: extra certificate authorities, apt's and pip's settings, and proxy
variables. Nothing here names a server: all of it is copied from this machine, or left to the
programs' own defaults.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

EXTRA_CAS = "usr/local/share/ca-certificates"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PROXY_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
#: pip's settings that say where and how to fetch; the others are a matter of taste.
PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")

_FETCH_SETTINGS = re.compile(r"^\s*Acquire::(https?|ftp|Proxy|Retries|Check-)", re.I | re.M)


@dataclass(frozen=True)
class Surroundings:
    """Files to put into every host, by path relative to its root.

    Files that may hold a password (a proxy's, an index's) are listed in `private`.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    private: frozenset[str] = frozenset()

    @property
    def apt_files(self) -> list[str]:
        """The paths of those that configure apt."""
        return sorted(path for path in self.files if path.startswith("etc/apt/apt.conf.d/"))


def of_this_machine(
    root: Path = Path("/"), environ: Mapping[str, str] | None = None
) -> Surroundings:
    """Collect this machine's settings for fetching packages."""
    env = os.environ if environ is None else environ
    files: dict[str, bytes] = {}
    private: set[str] = set()
    for path, content in _authorities(root):
        files[path] = content
    has_authorities = bool(files)
    for path, content in _apt_settings(root):
        files[path] = content
        if b"@" in content or path.startswith("etc/apt/auth.conf"):
            private.add(path)
    if pip := _pip_settings(root, env, has_authorities):
        files["etc/pip.conf"] = pip.encode()
        if "@" in pip:
            private.add("etc/pip.conf")
    if variables := _proxy_variables(env):
        files["etc/environment"] = variables.encode()
        if "@" in variables:
            private.add("etc/environment")
    return Surroundings(files, frozenset(private))


def _authorities(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((root / EXTRA_CAS).rglob("*.crt")):
        yield str(path.relative_to(root)), path.read_bytes()


def _apt_settings(root: Path) -> Iterator[tuple[str, bytes]]:
    main = root / "etc/apt/apt.conf"
    if main.is_file() and _FETCH_SETTINGS.search(main.read_text(errors="replace")):
        yield "etc/apt/apt.conf.d/00controller", main.read_bytes()
    for path in sorted((root / "etc/apt/apt.conf.d").glob("*")):
        if path.is_file() and _FETCH_SETTINGS.search(path.read_text(errors="replace")):
            yield str(path.relative_to(root)), path.read_bytes()
    for path in [root / "etc/apt/auth.conf", *sorted((root / "etc/apt/auth.conf.d").glob("*"))]:
        if path.is_file() and path.stat().st_size:
            yield str(path.relative_to(root)), path.read_bytes()


def _pip_settings(root: Path, env: Mapping[str, str], has_authorities: bool) -> str:
    """The text of a pip.conf, empty when pip's own defaults do."""
    found: dict[str, str] = {}
    for path in _pip_files(root, env):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except configparser.Error:
            continue  # pip would refuse it as well
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                found.update({k.replace("_", "-"): v for k, v in parser.items(section)})
    for key in PIP_KEYS:
        if value := env.get(f"PIP_{key.upper().replace('-', '_')}"):
            found[key] = value
    kept = {key: _reachable(found[key]) for key in PIP_KEYS if _reachable(found.get(key, ""))}
    if has_authorities:
        kept["cert"] = CA_BUNDLE
    if not kept:
        return ""
    return "".join(["[global]\n", *(f"{key} = {value}\n" for key, value in kept.items())])


def _pip_files(root: Path, env: Mapping[str, str]) -> list[Path]:
    home = root / env.get("HOME", "/root").lstrip("/")
    files = [root / "etc/pip.conf", home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    if env.get("PIP_CONFIG_FILE"):
        files.append(Path(env["PIP_CONFIG_FILE"]))
    return files


def _reachable(value: str) -> str:
    """Less what exists on this machine only (folders, file: addresses)."""
    return " ".join(word for word in value.split() if not word.startswith(("file:", "/")))


def _proxy_variables(env: Mapping[str, str]) -> str:
    lines = []
    for name in PROXY_VARIABLES:
        for spelling in (name, name.upper()):
            if env.get(spelling):
                lines.append(f'{spelling}="{env[spelling]}"\n')
    return "".join(lines)
