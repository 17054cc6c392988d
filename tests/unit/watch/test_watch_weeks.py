"""Simulated weeks: a sample of `scripts/soak watch`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

PLACE = Path(__file__).parents[2] / "soak" / "watch_traffic.py"


def test_incidents_of_a_simulated_week_are_told_and_little_else() -> None:
    spec = importlib.util.spec_from_file_location("watch_traffic", PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    result = module.simulate(5, 3)
    assert sum(result.seeded.values()) == 7
    assert len(result.delays) >= 6
    assert len(result.false_alarms) <= 1
