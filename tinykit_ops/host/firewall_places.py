"""Where the firewall keeps what on the host, and the programs that it is made of."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.alone import alone

TABLE = f"inet {layout.FIREWALL_TABLE}"
NFT = "/usr/sbin/nft"


@dataclass(frozen=True)
class Places:
    """The files of the firewall.

    Attributes:
        rules: what was confirmed, and what is loaded at boot.
        candidate: what the deploy wants.
        demanded: there when rules were ever confirmed; tinykit's unit then starts behind them only.
        state: a folder of root's alone.
    """

    rules: Path = Path(layout.FIREWALL_RULES)
    candidate: Path = Path(layout.FIREWALL_CANDIDATE)
    demanded: Path = Path(layout.FIREWALL_DEMANDED)
    state: Path = Path(layout.FIREWALL_STATE)
    lock: Path = Path(layout.LOCK_DIR) / "firewall"

    @property
    def pending(self) -> Path:
        """There while rules wait for a confirmation."""
        return self.state / "pending.json"

    @property
    def applied(self) -> Path:
        """The rules that wait."""
        return self.state / "applied.nft"

    @property
    def previous(self) -> Path:
        """What brings back the state before."""
        return self.state / "previous.nft"

    @property
    def sets(self) -> Path:
        """What the host adds to the rules."""
        return self.state / "sets.nft"

    @property
    def known(self) -> Path:
        """What was fetched and resolved."""
        return self.state / "known.json"

    @property
    def status(self) -> Path:
        """How the last refresh went."""
        return self.state / "refresh.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep confirmation, rollback and application apart; the shell of the rollback does so."""
        with alone(self.lock, seconds=60):
            yield


def nft(words: Sequence[str], text: str | None = None) -> str:
    """Run nft and return what it prints.

    Raises:
        UnavailableError: with what it said.
    """
    done = subprocess.run(
        [NFT, *words], input=text, text=True, capture_output=True, check=False, timeout=120
    )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[:5])
        raise UnavailableError(f"nft {' '.join(words)} failed", hint=said or "it said nothing")
    return done.stdout


def is_loaded() -> bool:
    """Whether the kernel has our table."""
    done = subprocess.run([NFT, "list", "tables"], capture_output=True, text=True, check=False)
    return f"table {TABLE}" in done.stdout.splitlines()


def is_active(unit: str) -> bool:
    """Whether a unit runs; one that is not there does not."""
    words = ["systemctl", "--quiet", "is-active", unit]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
