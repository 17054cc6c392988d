"""The kinds of value that settings hold: how each is read, normalised and bounded.

Every value can end up in a configuration file of another program, so none may hold a control
character, and each is held to the characters that its kind needs.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

import idna
from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from tinykit_ops.settings import cron
from tinykit_ops.settings.problems import printable


def _network(value: object) -> IPv4Network | IPv6Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an address or a network in quotes")
    text = value.strip()
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{printable(text)} is not an IPv4 or IPv6 address or network") from None
    raise ValueError(f'{printable(text)} is an address inside a network: write "{meant}"')


def _one_line(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("is empty")
    if not text.isprintable():
        raise ValueError("holds a line break or another control character")
    if len(text) > 1000:
        raise ValueError("is longer than 1000 characters")
    return text


def hostname(value: str) -> str:
    """A host name in lower case and in its ASCII (`xn--`) form.

    Raises:
        ValueError: why it is not a name that DNS and a certificate could hold.
    """
    text = value.strip()
    shown = printable(text)
    if "://" in text:
        raise ValueError(f"{shown} has a scheme: write the name alone")
    if "*" in text:
        raise ValueError(f"{shown} is a wildcard: name every domain")
    if _is_address(text):
        raise ValueError(f"{shown} is an IP address: a domain name is needed")
    if "/" in text:
        raise ValueError(f"{shown} has a path: write the name alone")
    if ":" in text:
        raise ValueError(f"{shown} has a port: write the name alone")
    try:
        name = idna.encode(text.removesuffix("."), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise ValueError(f"{shown} is not a domain name") from None
    if name.rsplit(".", 1)[-1].isdecimal():
        raise ValueError(f"{shown} is not a domain name: the last part cannot be a number")
    return name


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


_MAILBOX = re.compile(r"[A-Za-z0-9_%+'=~-]+(\.[A-Za-z0-9_%+'=~-]+)*")


def _email(value: str) -> str:
    mailbox, at, domain = value.strip().rpartition("@")
    if not at or not _MAILBOX.fullmatch(mailbox) or len(mailbox) > 64 or "." not in domain:
        raise ValueError("is not an e-mail address")
    try:
        return f"{mailbox}@{hostname(domain)}"
    except ValueError:
        raise ValueError("is not an e-mail address: the part after @ is no domain") from None


def _hex(length: int, what: str) -> AfterValidator:
    def check(value: str) -> str:
        text = value.strip().lower()
        if not re.fullmatch(rf"[0-9a-f]{{{length}}}", text):
            raise ValueError(f"must be {length} hexadecimal digits, {what}")
        return text

    return AfterValidator(check)


_SIZE = re.compile(r"(\d{1,6})\s*(KB|MB|GB|KIB|MIB|GIB)", re.IGNORECASE)
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def size_in_bytes(text: str) -> int:
    """`"64MB"` → 64000000; `KiB`, `MiB` and `GiB` count in 1024s.

    Raises:
        ValueError: not a whole number and a unit.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a whole number and a unit: KB, MB, GB, KiB, MiB or GiB")
    return int(match[1]) * _UNITS[match[2].upper()]


def _size(value: str) -> str:
    size = size_in_bytes(value)
    if not 10**6 <= size <= 10**10:
        raise ValueError("must lie between 1MB and 10GB")
    number, unit = _SIZE.fullmatch(value.strip()).groups()  # type: ignore[union-attr]
    return f"{int(number)}{unit.upper().replace('IB', 'iB')}"


def _web_address(value: str) -> str:
    parts = _url_parts(_one_line(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a web address that starts with https:// or http://")
    if not re.fullmatch(r"[\x21-\x7e]+", value.strip()) or re.search(r"[\"'`\\{}<>]", value):
        raise ValueError("holds a character that a web address cannot hold")
    return value.strip()


def _url_parts(text: str) -> Any:
    """The parts of an address, which must not carry a password."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.password is not None or (parts.username and parts.scheme in ("http", "https")):
        raise ValueError(
            "holds a user name or password: they would be seen in logs; leave them out"
        )
    return parts


def _source(value: str) -> str:
    text = _one_line(value)
    if text.startswith("-"):
        raise ValueError("cannot start with a dash")
    if "://" in text:
        _url_parts(text)
    return text


def _host_path(value: str) -> str:
    text = _one_line(value)
    if not text.startswith("/") or not re.fullmatch(r"[\w@%+=:,./-]+", text):
        raise ValueError(
            "must be an absolute path of letters, digits and _ @ % + = : , . / - (no blanks)"
        )
    if ".." in PurePosixPath(text).parts:
        raise ValueError('must not climb with ".."')
    return str(PurePosixPath(text))


def header_name(value: str) -> str:
    """The name of an HTTP header (RFC 9110, 5.1), less what no CDN uses."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", value):
        raise ValueError("must be a header's name: letters, digits and dashes")
    return value


def _schedule(value: str) -> str:
    shortest, _ = cron.parse(value).gaps_minutes()
    if shortest < 5:
        raise ValueError("runs more often than every 5 minutes")
    return " ".join(value.split())


def _word(pattern: str, words: str, *, lower: bool = False) -> AfterValidator:
    def check(value: str) -> str:
        text = value.strip().lower() if lower else value.strip()
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(words)
        return text

    return AfterValidator(check)


def _as_list(value: object) -> object:
    """Tuples and sets are lists too; a lone string is not a list of its letters."""
    return list(value) if isinstance(value, tuple | set | frozenset) else value


ListLike = BeforeValidator(_as_list)

Network = Annotated[
    IPv4Network | IPv6Network,
    PlainValidator(_network),
    WithJsonSchema({"type": "string", "format": "ip-network"}),
]
Text = Annotated[str, AfterValidator(_one_line)]
Domain = Annotated[str, AfterValidator(hostname)]
Email = Annotated[str, AfterValidator(_email)]
Sha256 = Annotated[str, _hex(64, "as `sha256sum` prints them")]
Commit = Annotated[str, _hex(40, "the full commit id that `git rev-parse` prints")]
Size = Annotated[str, AfterValidator(_size)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Source = Annotated[str, AfterValidator(_source)]  #: a path or an address on the controller
HostPath = Annotated[str, AfterValidator(_host_path)]
CronSchedule = Annotated[str, AfterValidator(_schedule)]
ModelName = Annotated[
    str,
    _word(r"[A-Za-z0-9][\w.:/@-]{0,199}", "must be a model name: letters, digits and . _ : / @ -"),
]
Version = Annotated[
    str, _word(r"\d{1,4}\.\d{1,4}\.\d{1,4}", "must be three numbers with dots between them")
]
#: [registry/]name[:tag][@digest], as Docker takes it.
ImageName = Annotated[
    str,
    _word(
        r"[a-z0-9][a-z0-9._/:@-]{0,254}",
        "must be an image's name: small letters, digits and . _ / : @ -",
    ),
]
#: Text without line breaks, at most 1000 characters.
OneLine = Annotated[str, AfterValidator(_one_line)]
Slug = Annotated[
    str,
    _word(
        r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
        "must be 1 to 40 lower-case letters, digits and dashes, no dash first or last",
    ),
]
Region = Annotated[str, _word(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", "must be a region's name")]
