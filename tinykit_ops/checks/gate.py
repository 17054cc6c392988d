"""Judging whether a class of routes is closed to strangers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tinykit_ops.checks.context import Context, Sighting, Stance
from tinykit_ops.checks.model import CannotLook, Tally, Verdict, unknown
from tinykit_ops.edge.probe import is_page_shell
from tinykit_ops.edge.routes import ROUTES, Route, RouteClass, Seen

if TYPE_CHECKING:
    from tinykit_ops.settings.model import Gate

_MAYBE_ALLOWED = (
    "this machine may be on the allowlist: look from elsewhere (--from USER@HOST), "
    "or say --vantage stranger when it is on none"
)


def routes_of(*classes: RouteClass) -> list[Route]:
    """The rows that strangers must not reach and that can be tried without harm."""
    return [
        route
        for route in ROUTES
        if route.classification in classes and route.probe and not route.door
    ]


def closed_to_all(look: Context, routes: Iterable[Route]) -> Verdict:
    """The verdict on routes that nobody may reach, wherever they are."""
    return _try_all(look, routes).verdict()


def closed_to_strangers(look: Context, routes: Iterable[Route], gate: Gate | None) -> Verdict:
    """The verdict on routes behind a gate.

    Args:
        routes: with probes.
        gate: the gate's settings, None when they are not known.
    """
    return _unless_let_in(look, _try_all(look, routes), gate)


def no_trick_leads_in(look: Context, paths: Iterable[str], gate: Gate | None) -> Verdict:
    """The verdict on other spellings of the builder's address.

    Anything but the builder's page is good news: a refusal, or the published app, which tinykit
    serves for every path that it does not know.
    """
    tally = Tally()
    for path in paths:
        try:
            answer = look.at_builder(look.stranger).get(path)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        if is_page_shell(answer):
            tally.bad.append(f"{answer} with the builder's page")
        elif answer.status == 429 or answer.status >= 500:
            tally.unseen.append(str(answer))
        else:
            tally.good.append(f"{answer}, not with the builder's page")
    return _unless_let_in(look, tally, gate)


def _try_all(look: Context, routes: Iterable[Route]) -> Tally:
    tally = Tally()
    lines = {Seen.OPEN: tally.bad, Seen.UNCLEAR: tally.unseen, Seen.CLOSED: tally.good}
    for route in routes:
        try:
            sighting = look.sight(route)
            lines[sighting.seen].append(_line(sighting))
        except CannotLook as reason:
            tally.unseen.append(str(reason))
    return tally


def _unless_let_in(look: Context, tally: Tally, gate: Gate | None) -> Verdict:
    """What is open may be open because this machine is on the allowlist."""
    if tally.bad and _may_be_let_in(look, gate):
        return unknown(*tally.bad, _MAYBE_ALLOWED)
    return tally.verdict()


def _line(sighting: Sighting) -> str:
    meaning = {
        Seen.OPEN: "from the application itself",
        Seen.CLOSED: "from what stands before it",
        Seen.UNCLEAR: "which neither the application nor a refusal looks like",
    }
    return f"{sighting.evidence}, {meaning[sighting.seen]}"


def _may_be_let_in(look: Context, gate: Gate | None) -> bool:
    """Could an open route be open to this machine only?"""
    if look.is_stranger:
        return False
    if look.stance == Stance.TRUSTED:
        return gate is None or _is_passed_by_address(gate)
    if gate is not None:
        return _is_passed_by_address(gate)
    return _some_policy_is_there(look)


def _is_passed_by_address(gate: Gate) -> bool:
    return "allowlist" in gate.require and (
        gate.match == "any" or set(gate.require) == {"allowlist"}
    )


def _some_policy_is_there(look: Context) -> bool:
    """Does anything stand before tinykit that closes what nobody ever needs?

    Where not even that is closed, there is no gate that could have let this machine in.
    """
    for route in routes_of(RouteClass.NEVER):
        try:
            if look.sight(route).seen == Seen.CLOSED:
                return True
        except CannotLook:
            return True  # not seen, so not excluded
    return False
