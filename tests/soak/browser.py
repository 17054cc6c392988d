"""A real browser through both proxies, in every mode that a person could choose.

    scripts/soak browser

The tests are those of tests/e2e/browser, which CI runs for a sample of the modes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1] / "e2e" / "browser"

if __name__ == "__main__":
    os.environ["TINYKIT_BROWSER_MODES"] = "all"
    sys.exit(pytest.main(["-q", str(TESTS), *sys.argv[1:]]))
