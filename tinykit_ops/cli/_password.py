"""A new password from a person: asked for, read, or made; never an argument."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from tinykit_ops.errors import UsageError
from tinykit_ops.report.files import see_that_it_can_be_written, write_private

Command = TypeVar("Command", bound=Callable[..., Any])


def password_options(command: Command) -> Command:
    """`--password-file`, `--generate` and `--save`."""
    for option in (
        click.option(
            "--save",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help="With --generate: write it to this file, mode 0600, and do not show it.",
        ),
        click.option("--generate", is_flag=True, help="Make one, and show it once."),
        click.option(
            "--password-file",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=str),
            help="Read it from the first line of a file; - is standard input.",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class NewPassword:
    """A password, and what is still to be told about it when it holds.

    Attributes:
        made: nobody but us has seen it.
    """

    value: str
    made: bool = False
    save: Path | None = None

    def deliver(self, email: str) -> None:
        """Give a made password to the person; only now that it is in force."""
        if not self.made:
            return
        if self.save:
            write_private(self.save, f"{self.value}\n")
            click.echo(f"the password of {email} is in {self.save}")
        else:
            click.echo(f"password of {email}: {self.value}")
            click.echo("It is shown this once, and kept nowhere.", err=True)


def new_password(password_file: str | None, generate: bool, save: Path | None) -> NewPassword:
    """The password that the options name; without any, a person is asked.

    Raises:
        UsageError: the options contradict each other, or there is nobody to ask or to show it to.
        CannotWriteReportError: the file for it cannot be written.
    """
    if (generate and password_file) or (save and not generate):
        raise UsageError(
            "it is not clear where the password comes from",
            hint="give --password-file, or --generate (with --save FILE), or neither",
        )
    if generate:
        if save:
            see_that_it_can_be_written(save)
        elif not sys.stdout.isatty():
            raise UsageError(
                "the password would be shown to what is no terminal, such as a log",
                hint="--save FILE keeps it in a file for you alone",
            )
        return NewPassword(secrets.token_urlsafe(18), made=True, save=save)
    if password_file:
        return NewPassword(first_line(password_file))
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for the password",
            hint="--password-file FILE reads it, --generate --save FILE makes one",
        )
    return NewPassword(click.prompt("New password", hide_input=True, confirmation_prompt=True))


def first_line(password_file: str) -> str:
    """The password in a file, or on standard input for `-`.

    Raises:
        UsageError: it is no text.
    """
    try:
        with click.open_file(password_file, encoding="utf-8") as file:
            return str(file.readline()).rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("the password is not text in UTF-8", where=password_file) from None
