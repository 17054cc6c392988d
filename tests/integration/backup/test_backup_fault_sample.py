"""A few cases of `scripts/soak backup-faults`, and those that once were answered wrongly."""

from __future__ import annotations

import random

import pytest
from backup_kit import Instance, S3Server
from fault_campaign import FAMILIES, cases_of
from fault_cases import Case, Count, must_fail, try_all
from fault_clock import ClockFaults
from fault_damage import DamageFaults, changed, make_stores
from fault_host import DiskFaults
from fault_service import ServiceFaults, little_patience
from faulty_proxy import Fault, FaultyProxy
from resealing import Reseal

SAMPLE = {"damage": 4, "copies": 3, "service": 3, "disks": 2, "clocks": 1}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_generated_fault_is_answered_wrongly(
    instance: Instance, s3: S3Server, family: str
) -> None:
    rng = random.Random(f"11 {family}")
    with cases_of(family, instance, s3, rng) as makers:
        count = try_all(make() for make in rng.sample(makers, SAMPLE[family]))
    assert count.wrong == [] and sum(count.cases.values()) == SAMPLE[family]


def test_a_damaged_head_of_a_sealed_object_is_told_as_damage_and_not_as_a_wrong_key(
    instance: Instance,
) -> None:
    store = make_stores(instance, 1)[1]
    (snapshot,) = {path.name for path in (store.folder / "snapshots").iterdir()}
    for kind in ("manifest.json", "data.db", "uploads/"):
        path = store.objects(snapshot, kind)[0]
        content = bytearray(path.read_bytes())
        content[60] ^= 1  # among the recipients
        with changed({path: bytes(content)}):
            assert must_fail(store.verify(instance, snapshot), path.name) == []


@pytest.mark.parametrize("what", ["created", "data_bytes"])
def test_an_index_that_tells_another_time_or_size_is_named(instance: Instance, what: str) -> None:
    store = make_stores(instance, 1)[0]
    (snapshot,) = {path.name for path in (store.folder / "snapshots").iterdir()}
    index = store.folder / "snapshots" / snapshot / "index.json"
    told = str(Reseal(store, snapshot, instance.root).index[what])
    other = "2020" + told[4:] if what == "created" else told + "0"
    changes = {index: index.read_bytes().replace(told.encode(), other.encode())}
    with changed(changes):
        answer = store.verify(instance, snapshot)
    assert must_fail(answer, "do not belong together") == []


def test_half_an_answer_is_not_taken_for_a_damaged_index(instance: Instance, s3: S3Server) -> None:
    with FaultyProxy(s3.port) as proxy, little_patience():
        service = ServiceFaults(instance, s3, proxy, random.Random(1))
        proxy.faults = [Fault("half", lambda r: r.method == "GET" and "index.json" in r.path, 1)]
        words = ("verify", service.first, "--no-boot", *service.identity)
        assert instance.run(*words) == 0
        assert proxy.faults[0].times == 0


def test_a_whole_snapshot_counts_although_nothing_can_be_noted_on_the_host(
    instance: Instance, s3: S3Server
) -> None:
    disks = DiskFaults(instance, s3, random.Random(1))
    assert [disks.nothing_noted().try_it() for _ in range(2)] == [[], []]


@pytest.mark.parametrize("ahead", [True, False])
def test_what_was_just_made_is_not_pruned_because_of_a_wrong_clock(
    instance: Instance, s3: S3Server, ahead: bool
) -> None:
    with FaultyProxy(s3.port) as proxy:
        clocks = ClockFaults(instance, s3, proxy, random.Random(1))
        assert clocks.directory(ahead=ahead).try_it() == []


def test_the_campaign_sees_a_wrong_answer(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verify that looks at nothing, and one that breaks."""
    damage = DamageFaults(instance, make_stores(instance, 1), random.Random(1))
    cases: list[Case] = [damage.missing(damage.stores[0], "data.db")]
    monkeypatch.setattr("tinykit_ops.backup.verify._Verification.go", lambda self: None)
    blind = try_all(cases)
    assert any("ended with 0" in one for one in blind.wrong)
    monkeypatch.setattr("tinykit_ops.backup.verify._Verification.go", lambda self: 1 / 0)
    broken: Count = try_all(cases)
    assert broken.wrong and broken.cases == {"missing": 1}
