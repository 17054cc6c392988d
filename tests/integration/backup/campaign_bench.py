"""What the backup campaigns share: an instance, two targets' keys, and a proxy that counts bytes.

The campaigns run whole by `scripts/soak backup-…`, and a few cases of each run among the tests.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
from backup_kit import Instance
from faulty_proxy import Fault, FaultyProxy, Request
from pocketbase_kit import Server, make_template

from tinykit_ops.errors import TinykitOpsError


@contextmanager
def running_instance(folder: Path, version: str) -> Iterator[Instance]:
    """A running PocketBase with a few notes and uploads, and its agent. Nothing is left behind."""
    (folder / "server").mkdir(parents=True)
    server = Server(folder / "server", version, make_template(folder, version))
    try:
        server.start().make_notes()
        for number in range(3):
            server.pb.create_record(
                "notes",
                {"title": f"note {number}", "body": "a body"},
                {"picture": (f"{number}.png", b"\x89PNG" + bytes([number]) * 9000)},
            )
        yield Instance(folder / "host", server)
    finally:
        server.kill()


def make_key(folder: Path, name: str = "key.txt") -> tuple[Path, str]:
    """A private key's file, as age-keygen writes it, and its public key."""
    key = pyrage.x25519.Identity.generate()
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(f"# public key: {key.to_public()}\n{key}\n")
    return path, str(key.to_public())


def tell(instance: Instance, *words: str) -> tuple[int, str]:
    """A `tinykit-ops backup` command in this process: its exit code, and all that it said.

    An exception that is no error of ours goes through: a user would see a traceback.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = instance.run(*words)
        except TinykitOpsError as error:
            said.write(f"{error}\n{error.hint}\n")
            code = error.exit_code
    return code, said.getvalue()


def listed(instance: Instance, target: str) -> list[str]:
    """The ids that `backup list` shows for a target."""
    code, said = tell(instance, "list", "--target", target, "--format", "json")
    assert code in (0, 1), said
    return [one["id"] for one in json.loads(said)[target]]


class CountingProxy(FaultyProxy):
    """Counts the bytes of objects that were sent, and keeps no body.

    Attributes:
        sent: bytes that arrived, by object (and part); of all tries, also of those cut off.
    """

    def __init__(self, upstream: int) -> None:
        super().__init__(upstream)
        self.sent: dict[str, int] = {}
        self.requests = 0
        self.RequestHandlerClass = _cut_with_the_client(self.RequestHandlerClass)

    def fault_for(self, request: Request) -> Fault | None:
        self.requests += 1
        self.done.clear()
        self.seen.clear()
        if request.method == "PUT":
            name = name_of(request.path)
            self.sent[name] = self.sent.get(name, 0) + len(request.body)
        return super().fault_for(request)

    def start_counting(self) -> None:
        """Forget what was counted."""
        self.sent, self.requests = {}, 0


def name_of(path: str) -> str:
    """What a request's path is about: the object's key, and the part's number if it has one."""
    key, _, query = path.partition("?")
    number = query.partition("partNumber=")[2].partition("&")[0]
    return f"{key} part {number}" if number else key


def _cut_with_the_client(handler: type) -> type:
    class Cut(handler):  # type: ignore[misc,valid-type]
        """A request that its sender did not finish is cut off at the server, too."""

        def _forward(self, request: Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
            if len(body) < int(self.headers.get("Content-Length") or 0):
                raise ConnectionError("the client is gone")
            return super()._forward(request, body)  # type: ignore[no-any-return]

    return Cut
