"""HTTP to one PocketBase: requests out, JSON objects or typed errors back."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from tinykit_ops.pocketbase.errors import (
    PocketBaseAccessError,
    PocketBaseError,
    PocketBaseRequestError,
    PocketBaseUnreachableError,
)

Json = dict[str, Any]
CHUNK = 1 << 18
_LOOPBACK = "127.0.0.1"


class Transport:
    """The connection to one server, and the token after a login.

    Args:
        url: its base, such as `http://127.0.0.1:8091`.
        timeout: seconds to wait for each connection and each answer.
        verify: False accepts any certificate; a path names the authority to trust.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, verify: bool | str = True) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy and no ~/.netrc between us and the server
        self._http.verify = verify
        if urlsplit(self.url).hostname == _LOOPBACK:
            # Docker brings us to a container from another address than the loopback that superusers
            # may come from. The server takes a client's address from here, as it does for the edge.
            self._http.headers["X-Forwarded-For"] = _LOOPBACK

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"PocketBase({self.url!r})"

    def close(self) -> None:
        """Forget the token and close the connections."""
        self._http.headers.pop("Authorization", None)
        self._http.close()

    # Underneath --------------------------------------------------------------------------------

    def call(self, method: str, path: str, **request: Any) -> Json:
        """Send one request. Returns the JSON object of the answer, {} when it has no body.

        Args:
            path: what follows the base URL; never put a secret there, use `headers` or `json`.
            request: passed to requests: json, data, files, params, headers.

        Raises:
            PocketBaseUnreachableError, PocketBaseAccessError, PocketBaseRequestError.
        """
        with self._send(method, path, stream=False, **request) as answer:
            return self._object(answer, path) if answer.content else {}

    def download(self, path: str, **request: Any) -> Iterator[bytes]:
        """The body of an answer, in pieces. Raises as `call` does."""
        with self._send("GET", path, stream=True, **request) as answer:
            try:
                yield from answer.iter_content(CHUNK)
            except requests.RequestException as error:
                raise self._no_answer(error, path) from None

    def _send(self, method: str, path: str, **request: Any) -> requests.Response:
        request.setdefault("allow_redirects", False)
        try:
            answer = self._http.request(method, self.url + path, timeout=self._timeout, **request)
        except requests.RequestException as error:
            raise self._no_answer(error, path) from None
        if not answer.ok or answer.is_redirect:
            raise self._refusal(answer, method, path)
        return answer

    def _no_answer(self, error: Exception, path: str) -> PocketBaseUnreachableError:
        # The error's own text may hold a query string, so only its kind is told.
        return PocketBaseUnreachableError(
            f"PocketBase does not answer ({type(error).__name__})",
            where=self.url + path,
            hint="is the service running? see `systemctl status pocketbase`",
        )

    def _object(self, answer: requests.Response, path: str) -> Json:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise PocketBaseUnreachableError(
                "Something answered that is not PocketBase",
                where=self.url + path,
                hint="check the address and what listens there",
                status=answer.status_code,
            )
        return body

    def _refusal(self, answer: requests.Response, method: str, path: str) -> PocketBaseError:
        status = answer.status_code
        where = f"{method} {self.url}{path}"
        reason = _reason(answer)
        if status in (401, 403):
            hint = "log in as a superuser first; superusers may be limited to certain addresses"
            return PocketBaseAccessError(
                f"PocketBase says {status}: {reason}", where=where, hint=hint, status=status
            )
        hint = {
            404: "is the name right, and have the migrations run?",
            429: "its rate limiter is at work: wait, or leave loopback out of it",
        }.get(status, "PocketBase's own log has more: `/_pb/_/#/logs`")
        return PocketBaseRequestError(
            f"PocketBase says {status}: {reason}", where=where, hint=hint, status=status
        )


def _reason(answer: requests.Response) -> str:
    """PocketBase's message and the fields it complains about; never what was sent."""
    try:
        body = answer.json()
    except ValueError:
        return answer.reason or "no reason given"
    if not isinstance(body, dict):
        return answer.reason or "no reason given"
    fields = body.get("data") or {}
    complaints = [
        f"{name}: {detail.get('message', detail.get('code', ''))}"
        for name, detail in fields.items()
        if isinstance(detail, dict)
    ]
    message = str(body.get("message", "")) or answer.reason
    return f"{message} ({'; '.join(complaints)})" if complaints else message
