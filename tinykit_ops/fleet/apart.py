"""pyinfra in a process of its own: it works with a standard library that gevent has replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


def ask_apart(module: str, request: Mapping[str, Any], *, follow: bool = False) -> dict[str, Any]:
    """Give a request to a module of this package that runs apart.

    Args:
        module: reads a JSON object from standard input, and prints one.
        follow: what it says on standard error is shown at once.

    Returns:
        Its answer; `{"problem": text}` with its last words when it gave none.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.{module}"],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        stderr=sys.stdout if follow else subprocess.PIPE,
        text=True,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = ((done.stderr or "").strip().splitlines() or ["nothing"])[-1]
        return {"problem": f"pyinfra said: {last[:300]}"}
    return answer
