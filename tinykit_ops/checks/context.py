"""The ways to look that a check is given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.checks.host import HostFacts
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.checks.session import Session
from tinykit_ops.edge.routes import Route, RouteClass, Seen

if TYPE_CHECKING:
    from tinykit_ops.settings.model import Settings

T = TypeVar("T")
NO_WEB = "needs the address of the instance"
NO_HOST = "needs to look on the host: give --inventory, or run `check --host` there"
NO_ACCOUNT = f"needs an account: give {ACCOUNT}_EMAIL and {ACCOUNT}_PASSWORD, or look on the host"
NO_SUPERUSER = (
    f"needs the superuser: give {SUPERUSER}_EMAIL and {SUPERUSER}_PASSWORD, or look on the host"
)


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
        no_web: why nobody could look from outside, where that was tried.
        outsider: from outside, from a place that is on no allowlist.
        stance: what is known about this machine's own address.
        host: on the host.
        no_host: why nobody could look on the host, where that was tried.
        settings: what the inventory or the host's configuration says.
        expected_version: the version of tinykit-ops that the agent should have.
        no_login: why nobody logged in, where somebody was to.
        account: logs in to the builder.
        superuser: logs in as PocketBase's superuser.
    """

    client: Client | None = None
    no_web: str = ""
    outsider: Client | None = None
    stance: Stance = Stance.AUTO
    host: HostFacts | None = None
    no_host: str = ""
    settings: Settings | None = None
    expected_version: str = ""
    no_login: str = ""
    account: Session | None = None
    superuser: Session | None = None
    _seen: dict[str, Any] = field(default_factory=dict, repr=False)
    _turns: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def web(self) -> Client:
        """The instance from this machine. Raises CannotLook."""
        if self.client is None:
            raise CannotLook(self.no_web or NO_WEB)
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
    def requests(self) -> int:
        """How many were sent so far, over all ways to look."""
        ways = [self.client, self.outsider]
        ways += [session.client for session in (self.account, self.superuser) if session]
        manners = {id(way.manners): way.manners for way in ways if way}
        return sum(each.used for each in manners.values())

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

    @property
    def person(self) -> Session:
        """Somebody with an account. Raises CannotLook."""
        if self.account is None:
            raise CannotLook(self.no_login or NO_ACCOUNT)
        return self.account

    @property
    def root(self) -> Session:
        """PocketBase's superuser. Raises CannotLook."""
        if self.superuser is None:
            raise CannotLook(self.no_login or NO_SUPERUSER)
        return self.superuser

    def at_builder(self, client: Client) -> Client:
        """The same client, aimed at the builder's own origin where the settings name one."""
        name = self.settings.builder_domain if self.settings else None
        if not name or client.target.host not in (self.settings.domains if self.settings else []):
            return client
        return replace(client, target=replace(client.target, host=name))

    def once(self, key: str, see: Callable[[], T]) -> T:
        """What was seen under a key, or what is seen now: once for all checks.

        Raises:
            CannotLook: again, when the first look ended with it.
        """
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:  # checks run side by side, and several ask the same
            if key not in self._seen:
                try:
                    self._seen[key] = see()
                except CannotLook as reason:
                    self._seen[key] = reason
            seen = self._seen[key]
            if isinstance(seen, CannotLook):
                raise seen
            return cast(T, seen)

    def get(self, client: Client, path: str, **headers: str) -> Answer:
        """GET a path, once for all checks that ask it alike. Raises CannotLook."""
        key = f"GET {client.dialer.name} {client.target.url}{path} {sorted(headers.items())}"
        return self.once(key, lambda: client.get(path, **headers))

    def sight(self, route: Route) -> Sighting:
        """Probe a route as a stranger, where it belongs, once for all checks.

        Raises:
            CannotLook: it has no probe, or there was no answer.
        """
        return self.once(f"route {route.name}", lambda: self._probe(route))

    def _probe(self, route: Route) -> Sighting:
        if route.probe is None:
            raise CannotLook(f"there is no harmless way to try the route {route.name}")
        client = self.stranger
        if route.classification != RouteClass.PUBLISHED:
            client = self.at_builder(client)
        answer: Answer = client.probe(route.probe)
        return Sighting(route, route.probe.judge(answer), str(answer))
