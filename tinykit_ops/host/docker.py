"""Speaking to Docker on this host."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tinykit_ops.errors import UnavailableError

DOCKER = "docker"
PULL_SECONDS = 900
BUILD_SECONDS = 900


def is_installed() -> bool:
    """Whether the command is there."""
    return shutil.which(DOCKER) is not None


def said(*words: str) -> str | None:
    """What `docker WORDS` prints, without a line's end; None when it fails or is not there."""
    try:
        done = subprocess.run([DOCKER, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def do(*words: str, seconds: float = 120, hint: str = "") -> str:
    """Run `docker WORDS`. Raises: UnavailableError, with Docker's last word."""
    try:
        done = subprocess.run(
            [DOCKER, *words], capture_output=True, text=True, timeout=seconds, check=False
        )
    except FileNotFoundError:
        raise UnavailableError("docker is not installed", hint="deploy again") from None
    except subprocess.TimeoutExpired:
        raise _failed(words, f"no end within {seconds:g} s", hint) from None
    if done.returncode != 0:
        raise _failed(words, done.stderr, hint)
    return done.stdout.strip()


def build(name: str, folder: Path, content: dict[str, Path]) -> None:
    """Build an image.

    Args:
        folder: holds the Dockerfile, and nothing else.
        content: name in the Dockerfile → the file or folder on this host.

    Raises: UnavailableError.
    """
    words = ["tar", "--create", "-C", str(folder), "Dockerfile"]
    for source, path in content.items():
        real = path.resolve()
        words += [f"--transform=s,^{real.name}\\($\\|/\\),{source}\\1,S", "-C", str(real.parent)]
        words += [real.name]
    # The builder that every Docker of Debian has; the other is a package of its own.
    ordered = [
        "env",
        "DOCKER_BUILDKIT=0",
        DOCKER,
        "build",
        "--quiet",
        "--force-rm",
        "--tag",
        name,
        "-",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as tar:
        done = subprocess.run(
            ordered,
            stdin=tar.stdout,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    if done.returncode != 0 or tar.returncode != 0:
        raise _failed(("build", name), done.stderr, "free some disk space and run again")


def _failed(words: tuple[str, ...], stderr: str, hint: str) -> UnavailableError:
    lines = [line for line in stderr.strip().splitlines() if "DEPRECATED" not in line]
    last = lines[-1][:300] if lines else "it said nothing"
    return UnavailableError(f"docker {' '.join(words[:2])} failed: {last}", hint=hint)
