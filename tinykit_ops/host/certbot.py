"""certbot, as this toolkit uses it: one certificate a host name, in lineages of our own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError

PREFIX = "tinykit-"
PUBLIC_DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
CERTBOT_SECONDS = 300.0
#: What certbot runs after each new certificate, also of its own timer's.
DEPLOY_HOOK = f"{layout.AGENT_COMMAND} host acme-install"

#: Words and environment → exit code and everything that certbot said.
Run = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str]]


@dataclass(frozen=True)
class Lineage:
    """Where certbot keeps the certificates of one name."""

    home: Path
    name: str

    @property
    def key(self) -> Path:
        """The newest private key."""
        return self.home / "live" / f"{PREFIX}{self.name}" / "privkey.pem"

    @property
    def chain(self) -> Path:
        """The newest certificate with its chain."""
        return self.home / "live" / f"{PREFIX}{self.name}" / "fullchain.pem"

    @property
    def settings(self) -> Path:
        """How it is renewed."""
        return self.home / "renewal" / f"{PREFIX}{self.name}.conf"

    @property
    def server(self) -> str:
        """The directory that it comes from; empty when there is none."""
        if not (self.settings.is_file() and self.key.is_file() and self.chain.is_file()):
            return ""
        found = re.search(r"^server = (\S+)$", self.settings.read_text(), re.MULTILINE)
        return found[1] if found else ""


def lineages(home: Path) -> list[Lineage]:
    """Ours, of whatever names."""
    found = sorted((home / "renewal").glob(f"{PREFIX}*.conf"))
    return [Lineage(home, path.stem.removeprefix(PREFIX)) for path in found]


def certonly(name: str, server: str, email: str, *, force: bool) -> list[str]:
    """The words that get a certificate for one name.

    Args:
        force: although the one that is there has time left, as when another authority is wanted.
    """
    return [
        *("certbot", "certonly", "--non-interactive", "--agree-tos", "--email", email),
        *("--webroot", "--webroot-path", layout.ACME_WEBROOT, "--key-type", "ecdsa"),
        *("--server", server, "--cert-name", f"{PREFIX}{name}", "--domain", name),
        *("--deploy-hook", DEPLOY_HOOK, "--force-renewal" if force else "--keep-until-expiring"),
    ]


def delete(name: str) -> list[str]:
    """The words that make certbot forget one name."""
    return ["certbot", "delete", "--non-interactive", "--cert-name", f"{PREFIX}{name}"]


def run_certbot(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Run it to its end. Raises: UnavailableError when it is missing or takes too long."""
    try:
        done = subprocess.run(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=CERTBOT_SECONDS,
            check=False,
            env={**os.environ, **env},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            f"certbot did not work: {error}", hint="certbot --version"
        ) from error
    return done.returncode, done.stdout


def reason(output: str) -> str:
    """Why certbot failed, in its own words, on one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    details = [line.removeprefix("Detail:").strip() for line in lines if line.startswith("Detail:")]
    noise = ("Saving debug log", "Ask for help", "Some challenges have failed", "- - -", "See the")
    rest = [line for line in lines if not line.startswith(noise)]
    return (" ".join(details) or " ".join(rest[-2:]) or "it said nothing")[:500]
