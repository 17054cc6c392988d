"""The ways to look that a check is given."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.host import HostFacts
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.edge.routes import Route, Seen
from tinykit_ops.settings.model import Settings

NO_HOST = "needs to look on the host: give --inventory, or run `check --host` there"


class Stance(StrEnum):
    """What is known about the address that the checks look from."""

    AUTO = "auto"  #: nothing
    STRANGER = "stranger"  #: it is on no allowlist
    TRUSTED = "trusted"  #: it is on an allowlist


@dataclass(frozen=True)
class Sighting:
    """What a probe of a route saw."""

    route: Route
    seen: Seen
    evidence: str


@dataclass
class Context:
    """One instance and the ways to look at it that there are.

    Attributes:
        client: from outside, from this machine.
        outsider: from outside, from a place that is on no allowlist.
        stance: what is known about this machine's own address.
        host: on the host.
        no_host: why nobody could look on the host, where that was tried.
        settings: what the inventory or the host's configuration says.
        expected_version: the version of tinykit-ops that the agent should have.
    """

    client: Client | None = None
    outsider: Client | None = None
    stance: Stance = Stance.AUTO
    host: HostFacts | None = None
    no_host: str = ""
    settings: Settings | None = None
    expected_version: str = ""
    _sightings: dict[str, Sighting] = field(default_factory=dict, repr=False)
    _turns: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def web(self) -> Client:
        """The instance from this machine. Raises CannotLook."""
        if self.client is None:
            raise CannotLook("no address of the instance was given")
        return self.client

    @property
    def stranger(self) -> Client:
        """The instance from as far away as there is a way to look. Raises CannotLook."""
        return self.outsider or self.web

    @property
    def is_stranger(self) -> bool:
        """Is it certain that `stranger` is on no allowlist?"""
        return self.outsider is not None or self.stance == Stance.STRANGER

    @property
    def machine(self) -> HostFacts:
        """The host. Raises CannotLook."""
        if self.host is None:
            raise CannotLook(self.no_host or NO_HOST)
        return self.host

    @property
    def known(self) -> Settings:
        """The settings of the instance. Raises CannotLook."""
        if self.settings is None:
            raise CannotLook("the settings of the instance are not known here")
        return self.settings

    def sight(self, route: Route) -> Sighting:
        """Probe a route as a stranger, once for all checks.

        Raises:
            CannotLook: it has no probe, or there was no answer.
        """
        with self._lock:
            turn = self._turns.setdefault(route.name, threading.Lock())
        with turn:  # checks run side by side, and several ask about the same route
            if route.name not in self._sightings:
                self._sightings[route.name] = self._probe(route)
            return self._sightings[route.name]

    def _probe(self, route: Route) -> Sighting:
        if route.probe is None:
            raise CannotLook(f"there is no harmless way to try the route {route.name}")
        answer: Answer = self.stranger.probe(route.probe)
        return Sighting(route, route.probe.judge(answer), str(answer))
