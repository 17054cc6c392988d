"""Names for what is put aside and never removed."""

from __future__ import annotations

import os
from itertools import chain, count
from pathlib import Path


def free(path: Path) -> Path:
    """This path, or the first of PATH-2, PATH-3, … that nothing has yet."""
    more = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(each for each in chain([path], more) if not os.path.lexists(each))
