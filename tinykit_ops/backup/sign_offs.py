"""Reading what verifications left beside the snapshots of a target: which of it counts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.errors import BackupError, NotStoredError
from tinykit_ops.backup.manifest import Index
from tinykit_ops.backup.sign_off import VERIFIED, SignOff, belongs_to
from tinykit_ops.backup.signing import signer_of
from tinykit_ops.backup.targets import StoredObject, Target
from tinykit_ops.backup.verified import Verified

LARGEST = 64 << 10  #: bytes; more is no result of ours


@dataclass(frozen=True)
class Found:
    """A result that counts.

    Attributes:
        when: it was found, but never later than it was stored, by the target's own clock: a
            verifier whose clock is wrong must not outvote all others for days.
        trusted: whether somebody signed it who is named in the settings.
    """

    result: SignOff
    when: datetime
    trusted: bool

    @property
    def verified(self) -> Verified:
        """As lists show it."""
        signed = "yes" if self.trusted else "unknown" if self.result.signer else "no"
        return Verified(self.result.good, self.when, self.result.host, signed)


class SignOffs:
    """All results of one target, listed once, read when they are asked for.

    Args:
        signers: public keys; when there are any, only what they signed counts.
    """

    def __init__(self, target: Target, signers: Collection[str] = ()) -> None:
        self._target = target
        self._signers = frozenset(signers)
        self._listed: dict[str, list[StoredObject]] = {}
        for found in target.list(VERIFIED):
            snapshot = found.key.removeprefix(VERIFIED).partition("/")[0]
            self._listed.setdefault(snapshot, []).append(found)
        for results in self._listed.values():
            results.sort(key=lambda one: (one.modified, one.key), reverse=True)

    @property
    def snapshots(self) -> list[str]:
        """Ids that have results, those with the latest first."""
        return sorted(self._listed, key=lambda one: self._listed[one][0].modified, reverse=True)

    def objects(self, snapshot: str) -> Sequence[StoredObject]:
        """What is stored for a snapshot, newest first, whether it counts or not."""
        return self._listed.get(snapshot, ())

    def all_of(self, index: Index) -> Iterator[Found]:
        """Every result about that very snapshot that counts, newest first.

        Raises:
            TargetError: the target failed.
        """
        for stored in self.objects(index.id):
            found = self._read(stored)
            if found is not None and belongs_to(found.result, index):
                yield found

    def newest_of(self, index: Index) -> Found | None:
        """The newest result that counts and was looked at far enough to say something."""
        decided = (one for one in self.all_of(index) if one.result.good or one.result.bad)
        return next(decided, None)

    def word_on(self, index: Index) -> Verified | None:
        """The last word on a snapshot, as lists show it."""
        found = self.newest_of(index)
        return found.verified if found else None

    def last_good(self, indexes: Iterable[Index]) -> list[tuple[str, Found]]:
        """The snapshots that were found good last, by time; of each its newest result counts."""
        newest = ((index.id, self.newest_of(index)) for index in indexes)
        good = [(snapshot, one) for snapshot, one in newest if one and one.result.good]
        return sorted(good, key=lambda pair: (pair[1].when, pair[0]), reverse=True)

    def protected(self, indexes: Iterable[Index]) -> set[str]:
        """Ids that no retention removes: the one that was verified last, and the newest of all
        that were found good. Mostly that is the same."""
        good = [snapshot for snapshot, _ in self.last_good(indexes)]
        return {good[0], max(good)} if good else set()

    def latest(self) -> tuple[Found | None, Found | None]:
        """The last good and the last bad result of all, as far as they are news: a bad one from
        before the last good one is left out."""
        bad: Found | None = None
        for snapshot in self.snapshots:
            found = self._newest_by_id(snapshot)
            if found is None:
                continue
            if found.result.good:
                return found, bad
            bad = bad or found
        return None, bad

    def _newest_by_id(self, snapshot: str) -> Found | None:
        try:
            return self.newest_of(read_index(self._target, snapshot))
        except BackupError:
            return None  # it is gone, or so damaged that `list` tells

    def _read(self, stored: StoredObject) -> Found | None:
        """None for what is no result of ours, or of nobody whose word counts."""
        try:
            with self._target.get(stored.key) as stream:
                paper = json.loads(stream.read(LARGEST))
            result = SignOff.model_validate(paper)
            signer = signer_of(paper)
        except (NotStoredError, ValueError, RecursionError):
            return None
        trusted = signer is not None and signer in self._signers
        if self._signers and not trusted:
            return None
        return Found(result, min(result.time, stored.modified), trusted)
