"""Damage of what is stored: every kind of object, clear and sealed; verify has to name it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backup_kit import Instance, snapshots
from campaign_bench import make_key, tell
from fault_cases import Case, must_fail, must_work, restored
from pydantic import ValidationError

from tinykit_ops.backup.manifest import Index

KINDS = ("index.json", "manifest.json", "data.db", "boot.tar", "uploads/")


@dataclass(frozen=True)
class Store:
    """A directory target with snapshots, and the words that open it."""

    name: str
    folder: Path
    identity: tuple[str, ...]
    public: str | None

    def verify(self, instance: Instance, snapshot: str) -> tuple[int, str]:
        words = ("verify", snapshot, "--target", self.name, "--no-boot")
        return tell(instance, *words, *self.identity)

    def objects(self, snapshot: str, kind: str) -> list[Path]:
        """What a snapshot has of a kind; uploads are shared."""
        if kind == "uploads/":
            index = json.loads((self.folder / "snapshots" / snapshot / "index.json").read_text())
            return [self.folder / one["key"] for one in index["uploads"]]
        return sorted((self.folder / "snapshots" / snapshot).glob(f"{kind}*"))


def make_stores(instance: Instance, count: int = 3) -> list[Store]:
    """A clear and a sealed target, with so many snapshots that differ."""
    key, public = make_key(instance.root)
    clear, sealed = instance.add_directory("clear"), instance.add_directory("sealed", [public])
    for number in range(count):
        instance.server.pb.create_record(
            "notes", {"title": f"more {number}"}, {"picture": ("m.png", b"\x89" + bytes([number]))}
        )
        assert instance.run("run") == 0
    return [
        Store("clear", clear, (), None),
        Store("sealed", sealed, ("--identity", str(key)), public),
    ]


class DamageFaults:
    """Makes cases of damage; each is taken back."""

    def __init__(self, instance: Instance, stores: list[Store], rng: random.Random) -> None:
        self.instance, self.stores, self.rng = instance, stores, rng

    def makers(self) -> list[Callable[[], Case]]:
        harms = (self.flip, self.flip, self.cut, self.missing, self.swapped)
        return [
            lambda harm=harm, kind=kind, store=store: harm(store, kind)  # type: ignore[misc]
            for harm in harms
            for kind in KINDS
            for store in self.stores
        ]

    def flip(self, store: Store, kind: str) -> Case:
        snapshot, path = self._pick(store, kind)
        content = bytearray(path.read_bytes())
        at, bit = self.rng.randrange(len(content)), self.rng.randrange(8)
        content[at] ^= 1 << bit
        if kind == "index.json" and _means_the_same(bytes(content), path.read_bytes()):
            return self.flip(store, kind)
        name = f"bit {bit} of byte {at} of {len(content)}"
        return self._case("flipped bits", name, store, snapshot, {path: bytes(content)})

    def cut(self, store: Store, kind: str) -> Case:
        snapshot, path = self._pick(store, kind)
        content = path.read_bytes()
        left = self.rng.randrange(len(content))
        name = f"cut to {left} of {len(content)} bytes"
        return self._case("cut off", name, store, snapshot, {path: content[:left]})

    def missing(self, store: Store, kind: str) -> Case:
        snapshot, path = self._pick(store, kind)
        return self._case("missing", "removed", store, snapshot, {path: None})

    def swapped(self, store: Store, kind: str) -> Case:
        """With one of its kind, of another snapshot, or with another kind of this one."""
        snapshot, one = self._pick(store, kind)
        others = [
            path
            for any_snapshot in snapshots(store.folder)
            for any_kind in KINDS
            for path in store.objects(any_snapshot, any_kind)
            if (any_kind == kind or any_snapshot == snapshot)
            and path.read_bytes() != one.read_bytes()
        ]
        other = self.rng.choice(others)
        change: dict[Path, bytes | None] = {one: other.read_bytes(), other: one.read_bytes()}
        return self._case("swapped", f"with {other.name}", store, snapshot, change)

    def _pick(self, store: Store, kind: str) -> tuple[str, Path]:
        snapshot = self.rng.choice(snapshots(store.folder))
        return snapshot, self.rng.choice(store.objects(snapshot, kind))

    def _case(
        self, kind: str, name: str, store: Store, snapshot: str, change: dict[Path, bytes | None]
    ) -> Case:
        path = next(iter(change))

        def try_it() -> list[str]:
            with changed(change):
                answer = store.verify(self.instance, snapshot)
                wrong = _not_named(answer, snapshot, change)
                to, _, files = restored(
                    self.instance, snapshot, "--target", store.name, *store.identity
                )
                wrong += [] if to and not files else ["it was restored all the same"]
            return wrong + must_work(store.verify(self.instance, snapshot))

        return Case(kind, f"{store.name} {path.name}: {name}", try_it)


def _means_the_same(one: bytes, other: bytes) -> bool:
    """The letter between date and time may be small: three flips of 16,000 change no meaning."""
    try:
        return Index.model_validate_json(one) == Index.model_validate_json(other)
    except ValidationError:
        return False


def _not_named(
    answer: tuple[int, str], snapshot: str, change: dict[Path, bytes | None]
) -> list[str]:
    """Wrong when something of that snapshot was changed that verify does not name."""
    ours = {path.name: content for path, content in change.items() if path.parent.name == snapshot}
    path = next(iter(change))
    if "index.json" in ours:
        # Without it there is no snapshot. What it tells wrongly is what does not fit, then.
        codes = (64,) if ours["index.json"] is None else (1, 64)
        return must_fail(answer, "FAULT", "no snapshot", "is of format", codes=codes)
    if any(name.startswith("manifest") for name in ours):
        return must_fail(answer, "manifest.json")  # nothing tells what the rest should be
    lacking = [name for name in {path.name, *ours} if name not in answer[1]]
    return must_fail(answer) + [f"{name} is not named: {answer[1]!r}" for name in lacking]


@contextmanager
def changed(change: dict[Path, bytes | None]) -> Iterator[None]:
    """Files with other content, or without the file (None), for as long as it takes."""
    before = {path: path.read_bytes() for path in change}
    try:
        for path, content in change.items():
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
        yield
    finally:
        for path, content in before.items():
            path.write_bytes(content)
