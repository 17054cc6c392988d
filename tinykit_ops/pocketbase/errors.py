"""What can go wrong between us and a PocketBase, each with what to do about it."""

from __future__ import annotations

from tinykit_ops.errors import AccessError, StorageError, TinykitOpsError, UnavailableError


class PocketBaseError(TinykitOpsError):
    """Base of everything that a PocketBase answers with other than success.

    Args:
        status: the HTTP status of the answer, 0 when there was none.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", status: int = 0) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


class PocketBaseUnreachableError(PocketBaseError, UnavailableError):
    """No answer, or one that is not PocketBase's."""


class PocketBaseAccessError(PocketBaseError, AccessError):
    """Wrong credentials, or not allowed (HTTP 401 or 403, or 400 at login)."""


class PocketBaseRequestError(PocketBaseError, StorageError):
    """The request was understood and refused, or the server failed (other 4xx and 5xx)."""
