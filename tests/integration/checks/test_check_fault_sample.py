"""A few faults of `scripts/soak check-faults`, and the manners of a whole look, by HTTP."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from faulty_web import FaultyWeb
from raw_instance import KEY, PERSON, ROOT_USER, claimed_instance
from web_faults import Fault, judge, look

from tinykit_ops.checks.manners import MAX_REQUESTS

Place = tuple[int, Mapping[str, str]]
TIMEOUT = 60  #: seconds a request; none of these faults is a silence
SAMPLE = [
    Fault("portal redirect"),
    Fault("portal page", 20),
    Fault("redirect loop", 5),
    Fault("reset"),
    Fault("429"),
    Fault("half answer"),
    Fault("endless body"),
    Fault("deep JSON"),
    Fault("expired login"),
    Fault("strange JSON"),
]


@pytest.fixture
def place(built_app: Path, tmp_path: Path) -> Iterator[Place]:
    with claimed_instance(built_app, tmp_path / "claimed") as found:
        yield found


def test_no_look_through_a_fault_passes_a_hole_hangs_or_breaks(place: Place) -> None:
    upstream, environment = place
    wrong = []
    with FaultyWeb(upstream, random.Random(1)) as web:
        sound = look(web.url, environment, TIMEOUT)
    assert "fail" in sound.outcomes.values(), sound.said
    for fault in SAMPLE:
        with FaultyWeb(upstream, random.Random(2)) as web:
            web.kind, web.hits = fault.kind, fault.hits
            seen = look(web.url, environment, TIMEOUT)
            wrong += [f"{fault}: {each}" for each in judge(fault, seen, sound)]
            assert web.hit, fault
    assert wrong == []


def test_a_whole_look_sends_at_most_a_hundred_requests_and_says_who_asks(place: Place) -> None:
    upstream, environment = place
    with FaultyWeb(upstream, random.Random(1)) as web:
        seen = look(web.url, environment, TIMEOUT)
    assert 0 < len(web.seen) <= MAX_REQUESTS
    assert all(agent.startswith("tinykit-ops/") for agent in web.agents)
    for secret in (PERSON[1], ROOT_USER[1], KEY):
        assert secret not in seen.said
