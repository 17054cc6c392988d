"""The configurations of an edge that a campaign goes through."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

PROOFS = ("account", "basic", "allowlist")
#: Every gate that settings can say: each set of proofs, and whether any or all must hold.
GATES = tuple(
    (proofs, match)
    for size in (1, 2, 3)
    for proofs in itertools.combinations(PROOFS, size)
    for match in ("any", "all")
)
GateWords = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Config:
    """One configuration: which proxy, which layout, which gates."""

    kind: str
    own_builder: bool  #: the builder has a domain of its own
    builder: GateWords
    admin: GateWords

    def __str__(self) -> str:
        words = [self.kind, "own builder domain" if self.own_builder else "one domain"]
        for name, (proofs, match) in (("builder", self.builder), ("admin", self.admin)):
            words.append(f"{name}={match}({','.join(proofs)})")
        return " ".join(words)

    def settings(self, builder_domain: str) -> dict[str, Any]:
        """What an inventory says about it."""
        gates = {"builder": self.builder, "admin": self.admin}
        return {
            "builder_domain": builder_domain if self.own_builder else None,
            "access": {
                name: {"require": list(proofs), "match": match}
                for name, (proofs, match) in gates.items()
            },
            "bans": {"enabled": False},  # the wrong passwords of a campaign would end it
            "edge": {
                "kind": self.kind,
                # A campaign asks more in a minute than a person in a week.
                "limits": {
                    "writes": 100_000,
                    "proxied": 100_000,
                    "logins": 1000,
                    "streams": 10_000,
                },
            },
        }


def whole(seed: int, kinds: Sequence[str]) -> list[Config]:
    """Every gate for the builder on each proxy and layout, with every gate for the administration.

    In each block of 14 the administration's gates are the builder's in another order, so that both
    classes see all of them, and no configuration has the same gate twice.
    """
    found = []
    for block, (kind, own) in enumerate(itertools.product(kinds, (False, True))):
        offset = random.Random(seed + block).randrange(2, len(GATES) - 1)
        for number, gate in enumerate(GATES):
            other = GATES[(number + offset) % len(GATES)]
            found.append(Config(kind, own, gate, other))
    return found


def pairwise(seed: int, kinds: Sequence[str]) -> list[Config]:
    """A few configurations in which every pair of choices occurs: proxy, layout, each proof of each
    gate or not, any or all. Greedy, the best of many candidates at each step."""
    pick = random.Random(seed)
    left = set(itertools.chain.from_iterable(_pairs(row) for row in _rows(kinds)))
    found = []
    while left:
        candidates = [_random_config(pick, kinds) for _ in range(400)]
        best = max(candidates, key=lambda config: len(left & set(_pairs(_choices(config)))))
        left -= set(_pairs(_choices(best)))
        found.append(best)
    return sorted(found, key=lambda config: (config.kind, config.own_builder))


def _random_config(pick: random.Random, kinds: Sequence[str]) -> Config:
    builder, admin = pick.sample(GATES, 2)
    return Config(pick.choice(kinds), pick.random() < 0.5, builder, admin)


def _choices(config: Config) -> tuple[object, ...]:
    gates = [
        (*(proof in proofs for proof in PROOFS), match)
        for proofs, match in (config.builder, config.admin)
    ]
    return (config.kind, config.own_builder, *gates[0], *gates[1])


def _rows(kinds: Sequence[str]) -> Iterator[tuple[object, ...]]:
    for kind, own in itertools.product(kinds, (False, True)):
        for builder, admin in itertools.permutations(GATES, 2):
            yield _choices(Config(kind, own, builder, admin))


def _pairs(row: tuple[object, ...]) -> Iterator[tuple[int, object, int, object]]:
    for (one, a), (two, b) in itertools.combinations(enumerate(row), 2):
        yield one, a, two, b
