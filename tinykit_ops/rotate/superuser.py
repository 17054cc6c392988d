"""A new password for PocketBase's superuser, while tinykit has one that works at any moment.

tinykit's server keeps a login until it ends, and never notices that a new password made it
worthless. So it must not use the superuser while that changes: a second superuser is made, tinykit
runs as that one, the first gets its new password, tinykit runs as the first again, the second goes.

Each step finds out for itself whether it was done. What the password becomes, and what it was, is
kept in root's files until the end, so that the next run goes on where one was interrupted.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import UsageError
from tinykit_ops.host import files
from tinykit_ops.host.secrets_step import SecretsStep
from tinykit_ops.pocketbase.client import SUPERUSERS, PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseAccessError
from tinykit_ops.rotate.credentials import mark_as_read, replace_credential
from tinykit_ops.rotate.tinykit import Tinykit

#: The second superuser; `.invalid` is nobody's domain (RFC 2606).
STAND_IN = "rotation@tinykit-ops.invalid"


class SuperuserRotation:
    """One rotation, new or gone on with.

    Args:
        config: of the agent.
        tinykit: the server that has to go on meanwhile.
        url: of PocketBase.
        say: is told each step.
    """

    def __init__(
        self,
        config: AgentConfig,
        tinykit: Tinykit,
        url: str = layout.POCKETBASE_URL,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.settings = config.settings
        self.step = SecretsStep(config.settings, config.secrets_dir, tinykit.environment)
        self.current = config.secret_path(layout.SUPERUSER_PASSWORD)
        self.next = config.secret_path(layout.SUPERUSER_PASSWORD_NEXT)
        self.before = config.secret_path(layout.SUPERUSER_PASSWORD_BEFORE)
        self.tinykit = tinykit
        self.url = url
        self.say = say

    @property
    def is_under_way(self) -> bool:
        """Whether one was begun and not finished."""
        return self.next.exists() or self.before.exists()

    @property
    def only_the_proof_is_left(self) -> bool:
        """Whether the new password holds everywhere, and the old one was not looked for yet."""
        if self.next.exists() or not self.before.exists():
            return False
        return self.old != _text(self.current)

    @property
    def old(self) -> str:
        """The password of before the rotation that is under way."""
        return _text(self.before)

    def has(self, password: str) -> bool:
        """Whether this is the password now."""
        return password == _text(self.current)

    def run(self, wanted: str = "") -> str:
        """Rotate, from wherever the last run got to.

        Args:
            wanted: the new password; one is made when empty. A rotation that is under way keeps
                the one it began with.

        Returns:
            The old password, to be looked for; the caller then says `forget`.

        Raises:
            UsageError: another rotation is under way, or the new password is the old one.
            PocketBaseAccessError: PocketBase knows none of the passwords.
        """
        self._begin(wanted)
        password = _text(self.next)
        with self._somebody(password) as pocketbase:
            self.say("a second superuser")
            self._have_stand_in(pocketbase, password)
        with self._logged_in(STAND_IN, password) as pocketbase:
            if self._needs_the_change(password):
                self.say("tinykit runs as the second")
                self.tinykit.run_with(self.step.environment_for(STAND_IN, password))
                self.say("the first gets its new password, which ends its logins")
                # The file first: a deploy after an interruption then mends PocketBase by it.
                files.write(self.current, password, mode=0o600)
                self._change(pocketbase, password)
            replace_credential(layout.POCKETBASE_UNIT, layout.SUPERUSER_PASSWORD, password)
            mark_as_read(layout.POCKETBASE_UNIT)
        self.say("tinykit runs as the first again")
        self.tinykit.run_with(self.step.environment_for(self.settings.superuser, password))
        with self._logged_in(self.settings.superuser, password) as pocketbase:
            self.say("the second goes")
            self._remove_stand_in(pocketbase)
        self.next.unlink(missing_ok=True)
        return self.old

    def forget(self) -> None:
        """The old password was looked for: forget it too."""
        self.before.unlink(missing_ok=True)

    def _begin(self, wanted: str) -> None:
        if self.next.exists():
            if wanted and wanted != _text(self.next):
                raise UsageError(
                    "a rotation with another password is under way",
                    where=str(self.next),
                    hint="run it again without a password; it goes on with its own",
                )
            return
        if wanted and self.has(wanted):
            raise UsageError("the superuser has this password already", hint="give another one")
        if self.only_the_proof_is_left:
            files.write(self.next, _text(self.current), mode=0o600)
            return
        files.write(self.before, _text(self.current), mode=0o600)
        files.write(self.next, wanted or secrets.token_urlsafe(24), mode=0o600)

    def _needs_the_change(self, password: str) -> bool:
        """Whether the first superuser has its old password still."""
        try:
            with self._logged_in(self.settings.superuser, password):
                return False
        except PocketBaseAccessError:
            return True

    def _have_stand_in(self, pocketbase: PocketBase, password: str) -> None:
        """Make the second superuser, or give one that was left behind our password."""
        found = self._record(pocketbase, STAND_IN)
        twice = {"password": password, "passwordConfirm": password}
        if found is None:
            pocketbase.create_record(SUPERUSERS, {"email": STAND_IN, **twice})
        elif not self._can_log_in(STAND_IN, password):
            pocketbase.update_record(SUPERUSERS, found["id"], twice)

    def _change(self, pocketbase: PocketBase, password: str) -> None:
        first = self._record(pocketbase, self.settings.superuser)
        twice = {"password": password, "passwordConfirm": password}
        if first is None:
            pocketbase.create_record(SUPERUSERS, {"email": self.settings.superuser, **twice})
        else:
            pocketbase.update_record(SUPERUSERS, first["id"], twice)

    def _remove_stand_in(self, pocketbase: PocketBase) -> None:
        found = self._record(pocketbase, STAND_IN)
        if found is not None:
            pocketbase.delete_record(SUPERUSERS, found["id"])

    @staticmethod
    def _record(pocketbase: PocketBase, email: str) -> dict[str, Any] | None:
        rows = pocketbase.records(SUPERUSERS)
        return next((row for row in rows if row["email"].lower() == email.lower()), None)

    def _can_log_in(self, email: str, password: str) -> bool:
        try:
            with self._logged_in(email, password):
                return True
        except PocketBaseAccessError:
            return False

    @contextmanager
    def _somebody(self, password: str) -> Iterator[PocketBase]:
        """Whoever of the two can log in, with the old or the new password."""
        tries = [
            (self.settings.superuser, _text(self.before)),
            (STAND_IN, password),
            (self.settings.superuser, password),
        ]
        with PocketBase(self.url) as pocketbase:
            pocketbase.wait_until_healthy(30)
            for number, (email, known) in enumerate(tries, 1):
                try:
                    pocketbase.login_superuser(email, known)
                    break
                except PocketBaseAccessError:
                    if number == len(tries):
                        raise
            yield pocketbase

    @contextmanager
    def _logged_in(self, email: str, password: str) -> Iterator[PocketBase]:
        with PocketBase(self.url) as pocketbase:
            pocketbase.login_superuser(email, password)
            yield pocketbase


def _text(path: Any) -> str:
    return (files.read(path) or "").rstrip("\r\n")
