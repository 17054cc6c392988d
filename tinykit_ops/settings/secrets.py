"""Secrets: where an inventory says they are, and reading them on the controller, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import click
from pydantic import Field, GetJsonSchemaHandler, SecretStr
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tinykit_ops.settings import secret_sources as sources
from tinykit_ops.settings.problems import Advice, Problem, SettingsError, join_key
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import Text

EXAMPLE = '{"env": "TINYKIT_ADMIN_PASSWORD"}'
_SOURCES = ("env", "file", "command", "value")

#: Says why a secret's text cannot be used, or nothing.
ValueRule = Callable[[str], str | None]
Warn = Callable[[Advice], None]


def _exactly_one(secret: Secret) -> Iterator[Problem]:
    given = [name for name in _SOURCES if getattr(secret, name) is not None]
    if len(given) != 1:
        problem = "says nothing" if not given else f"says {' and '.join(given)} at once"
        reason = f"{problem}: a secret comes from exactly one of env, file or command"
        yield Problem("", reason, f"example: {EXAMPLE}")


def _environment_name(secret: Secret) -> Iterator[Problem]:
    # Upper case only: a password that was written here by mistake must not be taken for a name,
    # because a missing name is printed.
    if secret.env is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", secret.env):
        reason = "must be the name of an environment variable: upper-case letters, digits and _"
        yield Problem("env", reason, f"example: {EXAMPLE}")


class Secret(Section):
    """Where a secret comes from: exactly one of an environment variable, a file or a command.

    The value is read on the controller, once, and travels to the host over standard input.
    """

    rules = (_exactly_one, _environment_name)

    env: Text | None = Field(
        default=None,
        description="Name of an environment variable of the controller.",
        examples=["TINYKIT_ADMIN_PASSWORD"],
    )
    file: Text | None = Field(
        default=None,
        description="A file of the controller that holds the secret and nothing else.",
        examples=["~/.config/tinykit/admin-password"],
    )
    command: Text | None = Field(
        default=None,
        description="A shell command of the controller that prints the secret.",
        examples=["pass show tinykit/admin"],
    )
    value: SecretStr | None = Field(
        default=None,
        repr=False,
        description="The secret itself. It works, and gives a warning: inventories get shared.",
        examples=["(better not)"],
    )

    @classmethod
    def advertised(cls) -> list[str]:
        """The keys to name in a hint: not the one for plain text."""
        return ["env", "file", "command"]

    @classmethod
    def from_shorthand(cls, data: object) -> object:
        """A plain string is the secret itself."""
        if isinstance(data, str):
            return {"value": SecretStr(data)}
        if isinstance(data, dict) and isinstance(data.get("value"), str):
            return {**data, "value": SecretStr(data["value"])}
        return data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        mapping = handler.resolve_ref_schema(handler(schema))
        mapping["minProperties"] = mapping["maxProperties"] = 1
        return {"anyOf": [{"type": "string", "writeOnly": True}, mapping]}


def resolve(secret: Secret, key: str, *, warn: Warn | None = None) -> str:
    """Read a secret on the controller.

    Args:
        secret: where it comes from.
        key: its key path, for messages.
        warn: told about a file that others may read; prints to stderr when left out.

    Raises:
        SettingsError: it cannot be read, is empty, or holds a line break or NUL. The message
            names the key and the source, never a value.
    """
    try:
        value = _read(secret)
    except sources.SecretSourceError as error:
        raise SettingsError([Problem(key, str(error), error.hint)]) from None
    if secret.file is not None and sources.others_may_read(secret.file):
        advice = Advice(key, f"others may read the file {secret.file}", f"chmod 600 {secret.file}")
        (warn or _print_warning)(advice)
    return value


def _read(secret: Secret) -> str:
    if secret.env is not None:
        text = sources.from_environment(secret.env)
    elif secret.file is not None:
        text = sources.from_file(secret.file)
    elif secret.command is not None:
        text = sources.from_command(secret.command)
    else:
        text = secret.value.get_secret_value() if secret.value is not None else ""
    text = sources.age_keys(text) or text.removesuffix("\n").removesuffix("\r")
    fault = unusable(text)
    if fault:
        raise sources.SecretSourceError(fault)
    return text


def unusable(text: str) -> str | None:
    """Why no secret can be this text, or None."""
    if not text.strip():
        return "the secret is empty"
    if any(character in text for character in "\n\r\0"):
        return "the secret holds a line break or a NUL"
    return None


def _print_warning(advice: Advice) -> None:
    click.echo(f"warning: {advice}", err=True)


def password_fault(text: str) -> str | None:
    """Why PocketBase would not take this password, or why it should not, or None.

    PocketBase takes 8 to 71 characters and, because of bcrypt, at most 72 bytes; fewer than ten
    characters are refused here, because a published login is guessed at all day long.
    """
    if len(text) < 10:
        return "the password has fewer than 10 characters"
    if len(text) > 71 or len(text.encode(errors="replace")) > 72:
        return "the password has more than 71 characters or 72 bytes, which bcrypt cannot hold"
    return None


def web_address_fault(text: str) -> str | None:
    """Why this is not an address that could be called, or None; it is never quoted."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:_-]+(/[\x21-\x7e]*|\?[\x21-\x7e]*)?", text):
        return "the secret is not a web address that starts with https:// or http://"
    return None


def age_key_fault(text: str) -> str | None:
    """Why these are not private age keys, or None; they are never quoted."""
    if all(re.fullmatch(r"AGE-SECRET-KEY-1[A-Z0-9]{58}", key) for key in text.split()):
        return None
    return "the secret is not a private age key (AGE-SECRET-KEY-1…)"


#: What the text of a secret has to look like, by the last part of its key.
VALUE_RULES: dict[str, ValueRule] = {
    "ping_url": web_address_fault,
    "verify_ping_url": web_address_fault,
    "prune_ping_url": web_address_fault,
    "webhook_url": web_address_fault,
    "identity": age_key_fault,
    "admin_password": password_fault,
    "superuser_password": password_fault,
}


def _hint(rule: ValueRule | None) -> str:
    if rule is web_address_fault:
        return "example: https://hc-ping.com/your-own-uuid"
    if rule is age_key_fault:
        return "give the file that `age-keygen -o` wrote"
    return "example: `openssl rand -base64 24` makes one"


def secrets_of(section: Section, parent: str = "") -> Iterator[tuple[str, Secret]]:
    """Every secret below a section, with its key path.

    The members of a list go by their name: `backup.targets.NAME.secret_access_key`.
    """
    for name in type(section).model_fields:
        key, value = join_key(parent, name), getattr(section, name)
        if isinstance(value, Secret):
            yield key, value
        elif isinstance(value, Section):
            yield from secrets_of(value, key)
        elif isinstance(value, list):
            members = [member for member in value if isinstance(member, Section)]
            for number, member in enumerate(members):
                yield from secrets_of(member, join_key(key, getattr(member, "name", f"{number}")))


def resolve_all(settings: Section, *, warn: Warn | None = None) -> dict[str, SecretStr]:
    """Read every secret that settings name, on the controller.

    Returns: key path → value (`.get_secret_value()`); printing or logging one shows stars only.

    Raises:
        SettingsError: lists everything that cannot be read or used, at once.
    """
    values: dict[str, SecretStr] = {}
    problems: list[Problem] = []
    for key, secret in secrets_of(settings):
        try:
            text = resolve(secret, key, warn=warn)
        except SettingsError as error:
            problems += error.problems
            continue
        rule = VALUE_RULES.get(key.rsplit(".", 1)[-1])
        fault = rule(text) if rule else None
        if fault:
            problems.append(Problem(key, fault, _hint(rule)))
        values[key] = SecretStr(text)
    if problems:
        raise SettingsError(problems)
    return values
