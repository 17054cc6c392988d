"""Sends a case to a server exactly as written, and makes the start state that all cases need."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from tinykit_ops.errors import UnavailableError
from tinykit_ops.lab.contract_cases import DOMAIN, UNKNOWN, Case
from tinykit_ops.lab.contract_wire import Answer, headers_of, multipart, pieces, read

TIMEOUT = 30.0
SILENT_SECONDS = 3.0
PATIENCE = 30.0  #: for what a server does behind its answers
POKE_SECONDS = 1.0  #: from the opening of a stream of events to a change, and to the next one
EMAIL = "contract@example.com"
PAGE = '<!doctype html><title>Published</title><a href="/x">x</a>'
RECORDS = [
    {"id": "alpha", "text": "alpha", "stars": 1, "done": True, "author_id": "ann"},
    {"id": "beta", "text": "beta", "stars": 3, "done": False, "author_id": "bob"},
    {"id": "gamma", "text": "gamma", "stars": 5, "done": True},
]
COLLECTIONS = {
    "notes": {
        "schema": [{"name": name, "type": "text"} for name in ("text", "stars", "author_id")],
        "records": RECORDS,
    },
    "authors": {"schema": [], "records": [{"id": "ann", "name": "Ann"}]},
    "plain": [{"id": 7, "n": 1}],
}


@dataclass
class Client:
    """A conversation with one server."""

    url: str
    #: No hyphen at its beginning: tinykit hands it to a command, which would see an option.
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    places: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.places |= {
            "unknown": UNKNOWN,
            "email": EMAIL,
            "password": self.password,
            "origin": self.url.rstrip("/"),
        }

    def send(self, case: Case) -> Answer:
        """Send a case. Raises UnavailableError when the server does not answer."""
        answer, end = self._send(case), time.monotonic() + PATIENCE
        while self._is_unfinished(case, answer) and time.monotonic() < end:
            time.sleep(0.2)
            if case.may_be_silent:
                answer = self._send(case)
        return answer

    def _is_unfinished(self, case: Case, answer: Answer) -> bool:
        """Whether the server is still at what the case sets off behind its answer."""
        if case.noted:
            listed = self._send(Case("GET", "/api/domains", auth="user"))
            return case.host.encode() not in listed.body
        return case.may_be_silent and answer.status != 0

    def _send(self, case: Case) -> Answer:
        payload, content_type = self._payload(case)
        headers = {"accept": "*/*"} | ({"content-type": content_type} if content_type else {})
        headers |= {name: self._fill(value) for name, value in case.headers.items()}
        headers |= self._authorization(case)
        if headers.get("origin") == self.places["origin"] and not case.host:
            # Without PROTOCOL_HEADER or an edge in front, adapter-node takes http for https.
            headers["x-forwarded-proto"] = urlsplit(self.url).scheme
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else None
        connection = (kind or http.client.HTTPConnection)(
            parts.netloc, timeout=SILENT_SECONDS if case.may_be_silent else TIMEOUT
        )
        try:
            path = self._fill(case.path)
            connection.putrequest(case.method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("host", case.host or parts.netloc)
            for name, value in headers.items():
                connection.putheader(name, value)
            self._send_body(connection, payload, chunked=case.chunked)
            if case.events:
                return self._events(connection, case)
            return read(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            if case.may_be_silent:
                return Answer(0, {}, b"")
            raise UnavailableError(
                f"The server did not answer: {error!r}.", where=f"{self.url} {case.name}"
            ) from None
        finally:
            connection.close()
            time.sleep(case.pause)

    def _fill(self, text: str) -> str:
        for name, value in self.places.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _authorization(self, case: Case) -> dict[str, str]:
        basic = base64.b64encode(f"{EMAIL}:{self.password}".encode()).decode()
        cookie = quote(json.dumps({"token": self.places.get("user_token", "")}))
        return {
            "none": {},
            "user": {"authorization": f"Bearer {self.places.get('user_token', '')}"},
            "superuser": {"authorization": f"Bearer {self.places.get('superuser_token', '')}"},
            "wrong": {"authorization": "Bearer not.a.token"},
            "basic": {"authorization": f"Basic {basic}"},
            "cookie": {"cookie": f"pb_auth={cookie}"},
        }[case.auth]

    def _payload(self, case: Case) -> tuple[bytes | None, str]:
        if case.json is not None:
            return self._fill(json.dumps(case.json)).encode(), "application/json"
        if case.body is not None:
            return case.body.encode(), ""
        if case.form is not None:
            return multipart(case.form), "multipart/form-data; boundary=contract"
        return None, ""

    @staticmethod
    def _send_body(
        connection: http.client.HTTPConnection, payload: bytes | None, *, chunked: bool
    ) -> None:
        if payload is None:
            connection.endheaders()
        elif chunked:
            connection.putheader("transfer-encoding", "chunked")
            connection.endheaders(pieces(payload), encode_chunked=True)
        else:
            connection.putheader("content-length", str(len(payload)))
            connection.endheaders()
            try:
                connection.send(payload)
            except OSError:
                return  # refused before all was sent: the answer tells why

    def _events(self, connection: http.client.HTTPConnection, case: Case) -> Answer:
        """Read events until the awaited one; for an update, cause it once the stream is open."""
        stream = connection.sock
        response = connection.getresponse()
        wanted = f"event: {case.events}\n".encode()
        seen, end = b"", time.monotonic() + PATIENCE
        pokes = self._pokes(case) if case.events == "data_updated" else iter(())
        while piece := response.read1(65536):  # the first may have come with the headers
            seen += piece
            while wanted not in seen and not select.select([stream], [], [], POKE_SECONDS)[0]:
                next(pokes, None)
                if time.monotonic() > end:
                    return Answer(response.status, headers_of(response), seen)
            if wanted in seen:
                break
        before, found, _ = seen.partition(wanted)  # and what several changes brought after it
        return Answer(response.status, headers_of(response), before + found)

    def _pokes(self, case: Case) -> Iterator[Answer]:
        """Changes of the data that a stream is about: the same one again and again, for the first
        may come before the server has subscribed to it."""
        path = case.path.replace("realtime", "data") + "/events"
        yield self._send(Case("POST", path, json={"id": "e1"}))
        while True:
            yield self._send(Case("PATCH", f"{path}/e1", json={"id": "e1"}))

    def is_unclaimed(self) -> bool:
        """Ask whether setup is still open."""
        value = self.send(Case("GET", "/api/setup")).json()
        return isinstance(value, dict) and value.get("needs_setup") is True

    def claim(self) -> None:
        """Take the server over through /api/setup."""
        body = {"email": "{email}", "password": "{password}"}
        self._expect(Case("POST", "/api/setup", json=body))

    def create_account(self) -> None:
        """Make the first account as the superuser, the way tinykit-ops claims a server."""
        self._login("_superusers", "superuser_token")
        body = {"email": "{email}", "password": "{password}", "passwordConfirm": "{password}"}
        path = "/_pb/api/collections/users/records"
        self._expect(Case("POST", path, auth="superuser", json=body))

    def prepare(self) -> None:
        """Log in and make what the cases need: three projects, one published, data and assets."""
        self._login("users", "user_token")
        self._login("_superusers", "superuser_token")
        self.places["project"] = self._first_project()
        path = "/_pb/api/collections/_tk_projects/records"
        draft = {"name": "Draft <b>", "domain": "draft.test", "kit": "custom", "data": {}}
        self.places["draft"] = self._expect(Case("POST", path, auth="user", json=draft))["id"]
        bare = {"name": "Bare", "domain": "", "kit": "custom"}
        self.places["bare"] = self._expect(Case("POST", path, auth="user", json=bare))["id"]
        project = f"{path}/{{project}}"
        self._expect(Case("PATCH", project, auth="user", json={"data": COLLECTIONS}))
        form = {"assets+": ("note.txt", "a note")}
        page = {"assets+": ("page.html", "<script>1</script>")}
        own = {"origin": "{origin}"}
        self._expect(Case("PATCH", project, auth="user", form=form, headers=own))
        stored = self._expect(Case("PATCH", project, auth="user", form=page, headers=own))
        self.places["asset"], self.places["page_asset"] = stored["assets"]
        build = "/api/projects/{project}/build"
        self._expect(Case("POST", build, auth="user", json={"html": PAGE}))

    def _login(self, collection: str, place: str) -> None:
        path = f"/_pb/api/collections/{collection}/auth-with-password"
        body = {"identity": "{email}", "password": "{password}"}
        self.places[place] = self._expect(Case("POST", path, json=body))["token"]

    def _first_project(self) -> str:
        """tinykit looks for its credentials only every five seconds: ask until it has them."""
        case = Case("POST", "/api/projects", auth="user", json={"name": "First", "domain": DOMAIN})
        for _ in range(10):
            value = self._expect(case)
            if value is not None:
                return str(value["id"])
            time.sleep(1.0)
        raise UnavailableError("The server never logged in to PocketBase.", where=self.url)

    def _expect(self, case: Case) -> Any:
        answer = self.send(case)
        if answer.status >= 300:
            raise UnavailableError(
                f"The start state cannot be made: {answer.status} {answer.body[:200]!r}.",
                where=f"{self.url}: {case.method} {case.path}",
                hint="Use a fresh server, or give the account's password in "
                "CONTRACT_DIFF_PASSWORD. PROTOCOL_HEADER=x-forwarded-proto must be set.",
            )
        return answer.json()
