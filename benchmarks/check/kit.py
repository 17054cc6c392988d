"""Parts of the unit tests that the benchmark runs on: how a hardened instance answers a stranger,
and an authority that makes certificates."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests" / "unit" / "checks"))

from checks_certificates import Authority
from checks_imitations import hardened
from checks_site import Answers, Say, say

__all__ = ["Answers", "Authority", "Say", "hardened", "say"]
