"""Two hosts and one bucket: one makes snapshots, the other proves them, and both know."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from backup_kit import CANARY, Instance, S3Server, objects, snapshots
from test_backup_and_restore import make_key

from tinykit_ops.backup.errors import TargetAccessError
from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.signing import public_key
from tinykit_ops.backup.status import read_status
from tinykit_ops.backup.targets.s3 import S3Store
from tinykit_ops.cli.backup import command
from tinykit_ops.errors import UnavailableError


class Verifier:
    """Another host: the same settings and credentials, nothing else in common."""

    def __init__(self, instance: Instance, root: Path, identity: Path) -> None:
        self.config = instance.etc / "config.json"
        self.identity = identity
        self.places: Places = replace(
            instance.places,
            state=root / "state",
            lock=root / "run" / "backup.lock",
            metrics=root / "metrics",
            data=root / "no-data",
            of="apps-1",
        )
        self.places.metrics.mkdir(parents=True)

    def run(self, *words: str) -> int:
        result = command.main(
            ["--config", str(self.config), *words],
            prog_name="tinykit-ops backup",
            obj=self.places,
            standalone_mode=False,
        )
        return int(result or 0)

    def verify(self, *words: str) -> int:
        return self.run("verify", "--identity", str(self.identity), *words)


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    made: tuple[Path, str] = make_key(tmp_path)
    return made


@pytest.fixture
def bucket(instance: Instance, s3: S3Server, key: tuple[Path, str]) -> Path:
    folder = instance.add_s3(s3, encryption=[key[1]])
    instance.targets[0]["signed_by"] = [public_key(read_identities(key[0])[0])]
    instance.write_config()
    return folder


@pytest.fixture
def verifier(instance: Instance, tmp_path: Path, key: tuple[Path, str]) -> Verifier:
    return Verifier(instance, tmp_path / "verifier", key[0])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_a_verifier_proves_is_seen_by_every_host(
    instance: Instance, bucket: Path, verifier: Verifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instance.run("run") == 0
    capsys.readouterr()
    assert verifier.verify() == 0
    (result,) = [key for key in objects(bucket) if key.startswith("verified/")]
    paper = json.loads((bucket / result).read_text())
    (snapshot,) = snapshots(bucket)
    assert (paper["snapshot"], paper["sound"], paper["booted"]) == (snapshot, True, True)
    # It can be read by whoever reads the bucket, so it names nothing of the data.
    for word in ("cat.png", "notes", "apps.example.com", CANARY, "storage"):
        assert word not in (bucket / result).read_text()
    capsys.readouterr()
    assert instance.run("list") == 0
    assert ", signed" in capsys.readouterr().out
    assert instance.run("list", "--format", "json") == 0
    assert told(capsys)["offsite"][0]["verified"]["good"] is True
    assert instance.run("show", "latest", "--format", "json") == 0
    assert told(capsys)["verified"][0]["trusted"] is True
    assert instance.run("status") == 0
    assert "not verified yet" in capsys.readouterr().out  # only this host's file was read
    assert instance.run("status", "--look") == 0
    assert f"verified 0.0 days ago by {paper['host']}" in capsys.readouterr().out


def test_the_next_backup_learns_it_and_its_metrics_tell(
    instance: Instance, bucket: Path, verifier: Verifier
) -> None:
    assert instance.run("run") == 0
    assert verifier.verify() == 0
    (verified,) = snapshots(bucket)
    assert instance.run("run") == 0
    status = read_status(instance.places.status)
    assert status is not None and status.targets["offsite"].verified_snapshot == verified
    text = (instance.places.metrics / "tinykit_backup.prom").read_text()
    line = 'tinykit_backup_last_verified_timestamp_seconds{target="offsite"} '
    assert float(text.split(line)[1].split()[0]) > 1_700_000_000


def test_a_verifier_has_its_own_metrics_and_knows_the_age_of_the_newest(
    instance: Instance, bucket: Path, verifier: Verifier
) -> None:
    assert instance.run("run") == 0
    assert verifier.verify() == 0
    text = (verifier.places.metrics / "tinykit_backup_apps-1.prom").read_text()
    assert 'last_success_timestamp_seconds{target="offsite",of="apps-1"}' in text
    assert "tinykit_backup_failing" not in text
    assert verifier.run("status") == 0


def test_a_bad_snapshot_is_an_alarm_everywhere(
    instance: Instance, bucket: Path, verifier: Verifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instance.run("run") == 0
    (database,) = bucket.glob("snapshots/*/data.db*")
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(bytes(content))
    assert verifier.verify() == 1
    assert instance.run("list") == 0
    assert "BAD" in capsys.readouterr().out
    assert instance.run("status", "--look") == 2
    assert "found bad by" in capsys.readouterr().out


def test_without_the_key_nobody_can_vouch(
    instance: Instance, bucket: Path, verifier: Verifier, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert instance.run("run") == 0
    assert verifier.verify() == 0
    (result,) = bucket.glob("verified/*/*")
    paper = json.loads(result.read_text())
    unsigned = {name: text for name, text in paper.items() if name not in ("signer", "signature")}
    result.write_text(json.dumps(unsigned))
    capsys.readouterr()
    assert instance.run("list") == 0
    assert "not yet" in capsys.readouterr().out


def test_the_instances_prune_keeps_what_the_verifier_proved(
    instance: Instance, bucket: Path, verifier: Verifier
) -> None:
    instance.retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0}
    instance.write_config()
    assert instance.run("run") == 0
    assert verifier.verify() == 0
    proven = snapshots(bucket)
    for _ in range(2):
        assert instance.run("run") == 0
    assert set(proven) < set(snapshots(bucket)) and len(snapshots(bucket)) == 2
    assert verifier.run("prune") == 0
    assert len(snapshots(bucket)) == 2


def test_a_result_that_cannot_be_stored_is_a_warning_and_the_verdict_stands(
    instance: Instance, bucket: Path, verifier: Verifier, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert instance.run("run") == 0

    def refused(self: S3Store, key: str, stream: object) -> None:
        raise TargetAccessError("Target 'offsite' could not store (AccessDenied)")

    monkeypatch.setattr(S3Store, "put", refused)
    capsys.readouterr()
    assert verifier.verify() == 0
    said = capsys.readouterr().out
    assert "warning: the result could not be stored in the target" in said
    assert "it comes back" in said


def test_a_target_that_does_not_answer_makes_no_snapshot_bad(
    instance: Instance, bucket: Path, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert instance.run("run") == 0
    text = verifier.config.read_text()
    other = verifier.config.with_name("other.json")
    port = json.loads(text)["backup"]["targets"][0]["endpoint"].rsplit(":", 1)[1]
    other.write_text(text.replace(f":{port}", ":1"))
    verifier.config = other
    with pytest.raises(UnavailableError):
        verifier.verify()
    assert read_status(verifier.places.status) is None
    assert not list(bucket.glob("verified/*"))


def test_each_scheduled_verification_reads_another_part(
    instance: Instance, bucket: Path, verifier: Verifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instance.run("run") == 0
    capsys.readouterr()
    for _ in range(3):
        assert verifier.verify("--scheduled", "--read-data", "next/3") == 0
    said = capsys.readouterr()
    assert said.out == ""  # nothing for cron to mail
    assert all(line.startswith("verify ") for line in said.err.splitlines())
    parts = {json.loads(path.read_text())["uploads_read"] for path in bucket.glob("verified/*/*")}
    assert parts == {"1/3", "2/3", "3/3"}


# Hooks -------------------------------------------------------------------------------------------


@pytest.fixture
def pinged(instance: Instance, bucket: Path) -> Iterator[list[str]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path.partition("?")[0])
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = json.loads((instance.etc / "config.json").read_text())
    for name, path in (("ping", "run"), ("verify-ping", "verify")):
        instance.secret(
            f"backup-notify-{name}-url", f"http://127.0.0.1:{server.server_port}/{path}"
        )
        field = f"{name.replace('-', '_')}_url"
        config["backup"].setdefault("notify", {})[field] = {"file": f"backup-notify-{name}-url"}
    (instance.etc / "config.json").write_text(json.dumps(config))
    yield asked
    server.shutdown()
    server.server_close()


def test_verify_and_prune_tell_the_hooks_and_never_hide_a_missing_backup(
    instance: Instance, bucket: Path, pinged: list[str], key: tuple[Path, str]
) -> None:
    assert instance.run("run") == 0
    assert pinged == ["/run/start", "/run"]
    pinged.clear()
    assert instance.run("verify", "--identity", str(key[0])) == 0
    assert pinged == ["/verify/start", "/verify"]
    pinged.clear()
    assert instance.run("prune") == 0
    assert pinged == []  # without an address of its own, only its failure is told
    (part,) = bucket.glob("snapshots/*/boot*")
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    assert instance.run("verify", "--identity", str(key[0])) == 1
    assert pinged == ["/verify/start", "/verify/fail"]
    pinged.clear()
    for index in bucket.glob("snapshots/*/index.json"):
        index.write_text("{")
    instance.failure("prune")
    assert pinged == ["/run/fail"]
