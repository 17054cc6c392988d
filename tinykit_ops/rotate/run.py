"""`tinykit-ops secrets rotate` on a host: one secret after the other, each with its proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.errors import Exit, UnavailableError, UsageError
from tinykit_ops.host.superuser import as_superuser
from tinykit_ops.rotate import backup_keys
from tinykit_ops.rotate.basic import rotate_basic
from tinykit_ops.rotate.given import ELSEWHERE, KINDS, Given, State, rotate_given
from tinykit_ops.rotate.logins import end_all_logins
from tinykit_ops.rotate.proof import places_of
from tinykit_ops.rotate.superuser import SuperuserRotation
from tinykit_ops.rotate.tinykit import Tinykit

NAMES = ("superuser", "tokens", "basic", *KINDS, backup_keys.NAME)
Say = Callable[[str], None]


def rotate(config: AgentConfig, names: Iterable[str], say: Say, password: str = "") -> Exit:
    """Rotate in the order of `NAMES`; a mended run goes on where one was interrupted.

    Args:
        names: of `NAMES`.
        say: is told what happens, and what is left to do elsewhere.
        password: for the superuser; one is made when empty.

    Returns:
        OK; FINDINGS when something old is left; TRY_AGAIN when a deploy has to come first.
    """
    wanted = set(names)
    codes = [_rotate_one(config, name, say, password) for name in NAMES if name in wanted]
    return max(codes, default=Exit.OK)


def finish_superuser(config: AgentConfig, say: Say, password: str = "") -> Exit:
    """Rotate the superuser's password, or finish a rotation, and see that the old one is gone."""
    rotation = SuperuserRotation(config, Tinykit(), say=lambda line: say(f"superuser: {line}"))
    if config.settings.superuser_password and not (password or rotation.is_under_way):
        raise UsageError(
            "the inventory gives the superuser's password",
            hint="--password-file FILE names a new one; give the inventory the same",
        )
    if not (password and rotation.is_under_way):
        return _finish(rotation, say, password)
    say("superuser: a rotation that was interrupted is finished first")
    try:
        code = _finish(rotation, say)
    except UnavailableError as error:
        if not rotation.only_the_proof_is_left:
            raise
        # What cannot be looked for must not keep a person from a new password for ever.
        say(f"superuser: {error.what} ({error.where}); it is not proven that it is gone")
        rotation.forget()
        code = Exit.FINDINGS
    return code if rotation.has(password) else max(code, _finish(rotation, say, password))


def _finish(rotation: SuperuserRotation, say: Say, password: str = "") -> Exit:
    old = rotation.old if rotation.only_the_proof_is_left else rotation.run(password)
    code = _prove("superuser", [old], say, but=[rotation.before])
    rotation.forget()
    return code


def _rotate_one(config: AgentConfig, name: str, say: Say, password: str) -> Exit:
    if name == "superuser":
        return finish_superuser(config, say, password)
    if name == "tokens":
        with as_superuser(config.settings, config.secret) as pocketbase:
            end_all_logins(pocketbase)
        say("tokens: everybody has to log in again")
        return Exit.OK
    if name == "basic":
        return _prove(name, rotate_basic(config), say)
    if name == backup_keys.NAME:
        return _tell(
            backup_keys.rotate_backup_keys(config),
            say,
            left="the old ones are needed for",
            gone="no snapshot from before the change is left",
            done=f"{name}: {backup_keys.ELSEWHERE}",
        )
    return _tell(
        rotate_given(config, name),
        say,
        left="the old one is still in",
        gone="the old one is nowhere on this host",
        done=f"{name}: {ELSEWHERE[name]}",
    )


def _tell(found: list[Given], say: Say, *, left: str, gone: str, done: str) -> Exit:
    for one in found:
        if one.state is State.WAITING:
            say(f"{one.name}: give the inventory a new value, deploy, then run this again")
        for place in one.places:
            say(f"{one.name}: {left} {place}")
        if one.state is State.GONE:
            say(f"{one.name}: {gone}")
    states = {one.state for one in found}
    if State.LEFT in states:
        return Exit.FINDINGS
    if State.WAITING in states:
        return Exit.TRY_AGAIN
    say(done)
    return Exit.OK


def _prove(name: str, old: Iterable[str], say: Say, but: Iterable[Path] = ()) -> Exit:
    allowed = list(but)
    places = [place for value in old if value for place in places_of(value, but=allowed)]
    for place in places:
        say(f"{name}: the old one is still in {place}")
    if not places:
        say(f"{name}: a new one holds, and the old one is nowhere on this host")
    return Exit.FINDINGS if places else Exit.OK
