"""Running the programs that make a lab."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence

from tinykit_ops.lab.errors import CommandError


def run(
    words: Sequence[str],
    *,
    input_text: str | None = None,
    check: bool = True,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it said.

    Args:
        words: program and arguments; never a secret, for others see them.
        timeout: seconds.
    Raises: CommandError when it fails (with `check`), is missing, or takes too long.
    """
    shown = shlex.join(words)
    try:
        result = subprocess.run(
            list(words),
            check=False,
            input=input_text,
            stdin=subprocess.DEVNULL if input_text is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=env,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"A command took longer than {timeout:.0f} s.", where=shown) from None
    except OSError as error:
        raise CommandError(f"A command could not be run: {error.strerror}.", where=shown) from error
    if check and result.returncode != 0:
        last_words = (result.stderr or result.stdout).strip()[-1500:]
        raise CommandError(
            f"A command of the lab failed (exit {result.returncode}).",
            where=shown,
            hint=last_words or "It said nothing.",
        )
    return result
