"""Speaking to this host's PocketBase as its superuser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tinykit_ops import layout
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.settings import Settings


@contextmanager
def as_superuser(
    settings: Settings,
    secret: Callable[[str], str],
    url: str = layout.POCKETBASE_URL,
    *,
    wait: float = 10,
) -> Iterator[PocketBase]:
    """A client that is logged in.

    Args:
        settings: of the instance; they name the superuser.
        secret: reads a secret of the host by its file name.
        wait: seconds until PocketBase has to be healthy.

    Raises:
        PocketBaseUnreachableError: it was not.
        PocketBaseAccessError: it knows another password.
    """
    with PocketBase(url) as pocketbase:
        pocketbase.wait_until_healthy(wait)
        pocketbase.login_superuser(settings.superuser, secret(layout.SUPERUSER_PASSWORD))
        yield pocketbase
