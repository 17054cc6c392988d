"""What verify leaves beside a snapshot: who may be believed, about what, and until when."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tinykit_ops.backup.manifest import Index, Stored, folder, index_key
from tinykit_ops.backup.prune import RESULTS_KEPT, prune
from tinykit_ops.backup.sign_off import SignOff, result_key, store
from tinykit_ops.backup.sign_offs import SignOffs
from tinykit_ops.backup.signing import public_key, signed, signer_of
from tinykit_ops.backup.targets.directory import DirectoryStore
from tinykit_ops.backup.verified import Verified
from tinykit_ops.settings.backup_targets import DirectoryTarget
from tinykit_ops.settings.retention import RetentionSettings

NOW = datetime.now(UTC).replace(microsecond=0)
ONE = "20261101T000000Z-000001"
TWO = "20261102T000000Z-000002"
MANIFEST = "a" * 64
LAST_ONE = RetentionSettings(keep_last=1, daily=0, weekly=0, monthly=0)


@pytest.fixture
def target(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(DirectoryTarget(kind="directory", name="disk", path=str(tmp_path)))


@pytest.fixture
def key() -> Any:
    return pyrage.x25519.Identity.generate()


def put(target: DirectoryStore, name: str, manifest: str = MANIFEST) -> Index:
    """A snapshot without content. Returns its index."""
    created = datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    stored = Stored(key=folder(name) + "manifest.json.zst", size=1, sha256=manifest)
    target.put(stored.key, io.BytesIO(b"x"))
    index = Index(
        id=name, created=created, encrypted=False, data_bytes=1, manifest=stored, parts=[],
        uploads=[],
    )  # fmt: skip
    target.put(index_key(name), io.BytesIO(index.model_dump_json().encode()))
    return index


def result(snapshot: str = ONE, hours_ago: float = 1, **told: Any) -> SignOff:
    values = {
        "snapshot": snapshot,
        "manifest": MANIFEST,
        "time": NOW - timedelta(hours=hours_ago),
        "host": "verify-1",
        "tinykit_ops": "0.1",
        "pocketbase": "0.40.6",
        "booted": True,
        "uploads_read": "1/1",
        "checked": ["database: hashes"],
        "sound": True,
        "faults": 0,
        **told,
    }
    return SignOff.model_validate(values)


def found(target: DirectoryStore, index: Index, *signers: str) -> Verified | None:
    return SignOffs(target, signers).word_on(index)


def test_a_result_of_another_host_is_seen(target: DirectoryStore) -> None:
    index = put(target, ONE)
    assert found(target, index) is None
    store(target, result())
    told = found(target, index)
    assert told is not None and told.good
    assert told.line == f"good {NOW - timedelta(hours=1):%Y-%m-%d %H:%M} by verify-1"


def test_the_newest_word_counts(target: DirectoryStore) -> None:
    index = put(target, ONE)
    store(target, result(hours_ago=3))
    os.utime(next(Path(target._root).glob("verified/*/*")), (0, 0))
    store(target, result(hours_ago=1, sound=False, faults=2))
    told = found(target, index)
    assert told is not None and not told.good and "BAD" in told.line


def test_a_result_without_a_boot_says_nothing_good(target: DirectoryStore) -> None:
    index = put(target, ONE)
    store(target, result(booted=False))
    assert found(target, index) is None


def test_with_signers_named_nobody_else_is_believed(target: DirectoryStore, key: Any) -> None:
    index, stranger = put(target, ONE), pyrage.x25519.Identity.generate()
    store(target, result())
    store(target, result(), [stranger])
    assert found(target, index, public_key(key)) is None
    unknown = found(target, index)
    assert unknown is not None and unknown.signed in ("no", "unknown")
    store(target, result(), [key])
    told = found(target, index, public_key(key))
    assert told is not None and told.signed == "yes"


@pytest.mark.parametrize(
    "change", [{"sound": False}, {"host": "other"}, {"snapshot": TWO}, {"signature": "AAAA"}]
)
def test_a_changed_result_is_nobodys(
    target: DirectoryStore, key: Any, change: dict[str, Any]
) -> None:
    index = put(target, ONE)
    path = Path(target._root) / store(target, result(), [key])
    paper = json.loads(path.read_text())
    path.write_text(json.dumps({**paper, **change}))
    assert found(target, index) is None
    with pytest.raises(ValueError, match="signature is wrong"):
        signer_of({**paper, **change})


def test_a_good_word_cannot_be_carried_to_another_snapshot(
    target: DirectoryStore, key: Any
) -> None:
    put(target, ONE)
    other, swapped = put(target, TWO), put(target, ONE, manifest="b" * 64)
    source = Path(target._root) / store(target, result(), [key])
    copy = Path(target._root) / result_key(TWO, NOW)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(source.read_bytes())
    assert found(target, other, public_key(key)) is None
    assert found(target, swapped, public_key(key)) is None  # it took the verified one's place


def test_rubbish_beside_a_snapshot_hides_nothing(target: DirectoryStore) -> None:
    index = put(target, ONE)
    store(target, result())
    for name, content in (
        ("99991231T000000Z-ffffff.json", b"{"),
        ("zzz", b"x" * 200_000),
        ("null.json", b"null"),
        ("list.json", b'[{"format": 1}]'),
    ):
        target.put(f"verified/{ONE}/{name}", io.BytesIO(content))
    told = found(target, index)
    assert told is not None and told.good


def test_a_verifier_from_the_future_does_not_outvote_the_others(target: DirectoryStore) -> None:
    index = put(target, ONE)
    store(target, result(hours_ago=-48))
    told = found(target, index)
    assert told is not None and told.when <= datetime.now(UTC) + timedelta(seconds=2)


def test_the_signature_can_be_checked_with_openssl(
    target: DirectoryStore, key: Any, tmp_path: Path
) -> None:
    paper = json.loads((tmp_path / store(target, result(host="zürich-1"), [key])).read_text())
    signature = base64.b64decode(paper.pop("signature"))
    spki = bytes.fromhex("302a300506032b6570032100" + paper["signer"].removeprefix("ed25519:"))
    (tmp_path / "key.der").write_bytes(spki)
    (tmp_path / "signature").write_bytes(signature)
    text = json.dumps(paper, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (tmp_path / "text").write_text(text)
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey",
         "key.der", "-sigfile", "signature", "-in", "text"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verified Successfully" in done.stdout, done.stderr


def test_the_signing_key_gives_nothing_of_the_private_key_away(key: Any) -> None:
    paper = signed({"a": 1}, key)
    assert public_key(key).startswith("ed25519:") and public_key(key) == public_key(key)
    assert str(key) not in json.dumps(paper) and str(key.to_public()) not in json.dumps(paper)
    assert public_key(key) != public_key(pyrage.x25519.Identity.generate())


# Retention ---------------------------------------------------------------------------------------


def left(target: DirectoryStore) -> set[str]:
    return {one.key.split("/")[1] for one in target.list("snapshots/")}


def test_what_a_verifier_elsewhere_found_good_is_never_pruned(target: DirectoryStore) -> None:
    put(target, ONE)
    put(target, TWO)
    put(target, "20261103T000000Z-000003")
    store(target, result(ONE))
    pruned = prune(target, LAST_ONE)
    assert left(target) == {ONE, "20261103T000000Z-000003"}
    assert {one.id: one.reasons for one in pruned.decisions}[ONE] == ("last verified",)


def test_a_bad_word_or_one_of_nobody_protects_nothing(target: DirectoryStore, key: Any) -> None:
    for name in (ONE, TWO, "20261103T000000Z-000003"):
        put(target, name)
    store(target, result(ONE, sound=False, faults=1), [key])
    store(target, result(TWO))
    prune(target, LAST_ONE, signers=[public_key(key)])
    assert left(target) == {"20261103T000000Z-000003"}


def test_the_newest_good_one_stays_also_when_an_old_one_was_verified_after_it(
    target: DirectoryStore,
) -> None:
    for name in (ONE, TWO, "20261103T000000Z-000003"):
        put(target, name)
    store(target, result(TWO, hours_ago=5))
    store(target, result(ONE, hours_ago=1))
    prune(target, LAST_ONE)
    assert left(target) == {ONE, TWO, "20261103T000000Z-000003"}


def test_results_of_removed_snapshots_go_and_of_others_the_last_few_stay(
    target: DirectoryStore,
) -> None:
    put(target, ONE)
    put(target, TWO)
    store(target, result(ONE, sound=False))
    for hours in range(RESULTS_KEPT + 3):
        store(target, result(TWO, hours_ago=hours))
    prune(target, LAST_ONE)
    kept = [one.key.split("/")[1] for one in target.list("verified/")]
    assert kept == [TWO] * RESULTS_KEPT


def test_a_tag_holds_a_result_and_nothing_else_is_taken_for_one() -> None:
    told = Verified(True, NOW, "verify 1.example.com")
    text = told.as_text()
    assert len(text) <= 256
    again = Verified.from_text(text)
    assert again == Verified(True, NOW, "verify-1.example.com")
    for wrong in ("", "good", "good yesterday host", "fine 2026-11-24T00:00:00Z host"):
        assert Verified.from_text(wrong) is None


def test_brackets_without_end_are_no_result_and_hide_none(target: DirectoryStore) -> None:
    index = put(target, ONE)
    store(target, result())
    target.put(result_key(ONE, NOW), io.BytesIO(b"[" * (64 << 10)))
    assert found(target, index) is not None
