"""No secret is seen by anybody. Every secret of these tests carries a canary; it is searched for in
arguments, environments, output (which cron brings to the journal), logs, status, metrics, and in
every object of the targets, opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zstandard
from backup_kit import ACCESS_KEY, CANARY, Instance, S3Server
from campaign_bench import make_key, tell
from canary_scan import Scan, run_watched
from waiting import until

PRIVATE_KEY = "AGE-SECRET-KEY"


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    made: tuple[Path, str] = make_key(tmp_path)
    return made


@pytest.fixture
def hooks() -> Iterator[str]:
    """A server that refuses every ping, so that there is something to log about it."""

    class Refusal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_error(500)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def add_hooks(instance: Instance, address: str) -> None:
    """Addresses of hooks are secrets."""
    config = json.loads((instance.etc / "config.json").read_text())
    config["backup"]["notify"] = {}
    for name in ("ping", "webhook"):
        instance.secret(f"backup-notify-{name}-url", f"{address}/{CANARY}-{name}")
        config["backup"]["notify"][f"{name}_url"] = {"file": f"backup-notify-{name}-url"}
    (instance.etc / "config.json").write_text(json.dumps(config))


def test_no_secret_shows_anywhere(
    instance: Instance, s3: S3Server, key: tuple[Path, str], hooks: str, tmp_path: Path
) -> None:
    file, public = key
    identity = f"--identity={file}"
    sealed = instance.add_s3(s3, encryption=[public])
    plain = instance.add_directory()
    add_hooks(instance, hooks)
    # tinykit leaves the superuser's password here.
    marker = instance.server.data / ".setup_complete"
    marker.write_text(json.dumps({"admin_password": CANARY}))
    instance.server.pb.call("POST", "/api/backups", json={"name": "own.zip"})
    scan = Scan(file)

    def run(*words: str) -> int:
        return run_watched(instance.spawn(*words), scan)

    assert run("run", "--scheduled") == 0
    assert run("verify", "--target=offsite", identity) == 0
    assert run("restore", "latest", "--target=offsite", identity, f"--to={tmp_path / 'back'}") == 0
    zipped = instance.server.data / "backups" / "own.zip"
    assert run("import", str(zipped), "--target=disk") == 0
    for words in (["list"], ["show", "latest", "--target=disk"], ["status"], ["prune"], ["doctor"]):
        scan.add("output", tell(instance, *words, "--format=json")[1].encode())
    instance.secret("backup-offsite-secret-access-key", f"{CANARY}-wrong")
    assert run("run") == 1

    scan.add("PocketBase's log", instance.server.log_text().encode())
    for folder in (
        sealed,
        plain,
        instance.places.state,
        instance.places.metrics,
        tmp_path / "back",
    ):
        scan.add_files(folder)
    secrets = [CANARY, ACCESS_KEY, s3.secret, instance.server.token, PRIVATE_KEY]
    assert scan.places_of(secrets) == []
    assert scan.places_of(["warning: the ping"]) == ["output"]
    assert scan.places_of(["boot_inside"]) == ["arguments"]
    assert scan.places_of(["PATH="]) == ["environment"]
    # The manifest is opened, or this would not be found.
    looked_into = scan.places_of(['"tinykit_ops":'])
    for folder in (sealed, plain):
        assert any(str(folder) in where and "manifest" in where for where in looked_into)
    assert (instance.places.status.stat().st_mode & 0o777) == 0o644
    assert (instance.places.metrics / "tinykit_backup.prom").is_file()


def _end_when_seen(standard_input: int, scan: Scan, word: str) -> None:
    """The command lives until the scan has looked at it, however long that takes."""
    try:
        until(lambda: word.encode() in scan.seen.get("environment", b""), "a look at the command")
    finally:
        os.close(standard_input)


def test_the_scan_finds_a_secret_wherever_it_is(key: tuple[Path, str], tmp_path: Path) -> None:
    scan = Scan(key[0])
    word = "planted-secret"  # another one: tests that run beside this look at all arguments, too
    child = f"import subprocess; subprocess.run(['cat'], env={{'LEAK': {word!r}}})"
    theirs, ours = os.pipe()
    words = [sys.executable, "-c", f"{child}; print({word!r})"]
    command = subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, text=True)
    os.close(theirs)
    thread = threading.Thread(target=_end_when_seen, args=(ours, scan, word))
    thread.start()
    assert run_watched(command, scan) == 0
    thread.join()
    folder = tmp_path / "target"
    folder.mkdir()
    (folder / "object.zst").write_bytes(zstandard.compress(f"{'x' * 99} {word}".encode()))
    scan.add_files(folder)
    assert {"arguments", "environment", "output", f"{folder / 'object.zst'}, opened"} <= set(
        scan.places_of([word])
    )
