"""What keeps the checks polite: a budget of requests, and the sense to give up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tinykit_ops.checks.model import CannotLook

MAX_REQUESTS = 100  #: an instance, all checks together
ON_HOST_REQUESTS = 17  #: of these, what the agent on the host may send to PocketBase there
GIVE_UP_AFTER = 3  #: failed requests in a row, after which nothing more is tried


@dataclass
class Manners:
    """What all looks at one instance share: the budget of requests, and patience.

    Attributes:
        timeout: seconds for one request, all of it.
        limit: requests in all.
    """

    timeout: float = 10.0
    limit: int = MAX_REQUESTS
    used: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def spend(self, where: str) -> None:
        """Count one request. Raises CannotLook when no more may be sent."""
        with self._lock:
            if self.failures.get(where, 0) >= GIVE_UP_AFTER:
                raise CannotLook(f"gave up: {GIVE_UP_AFTER} requests in a row got no answer")
            if self.used >= self.limit:
                raise CannotLook(f"the limit of {self.limit} requests an instance is reached")
            self.used += 1

    def note(self, where: str, *, answered: bool) -> None:
        """Remember whether a request was answered."""
        with self._lock:
            self.failures[where] = 0 if answered else self.failures.get(where, 0) + 1
