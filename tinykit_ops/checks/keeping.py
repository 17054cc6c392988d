"""Where the nightly look keeps things, gathered so that tests can move them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.backup.places import Places


@dataclass(frozen=True)
class CheckPlaces:
    """The paths of one host; the defaults are a provisioned host's.

    Attributes:
        state: root's folder, 0700.
        metrics: node-exporter's folder of text files; nothing is written when it is missing.
        waivers: findings that the inventory accepts; may be missing.
        of: on a verifier, the instance that is looked at, by its folder's name.
    """

    state: Path = Path(layout.CHECKS_STATE)
    metrics: Path = field(default_factory=lambda: Places().metrics)
    waivers: Path = Path(layout.CHECKS_WAIVERS)
    of: str = ""

    @classmethod
    def of_instance(cls, name: str) -> CheckPlaces:
        """Where a verifier keeps what it saw of one instance."""
        return cls(
            state=Path(layout.STATE_DIR) / "instances" / name / "checks",
            waivers=Path(layout.INSTANCES_DIR) / name / Path(layout.CHECKS_WAIVERS).name,
            of=name,
        )

    @property
    def last(self) -> Path:
        """The report of the look before."""
        return self.state / "last.json"

    @property
    def history(self) -> Path:
        """One line a look."""
        return self.state / "history.jsonl"

    @property
    def metrics_file(self) -> Path:
        """What node-exporter reads."""
        return self.metrics / f"tinykit_check{'_' * bool(self.of)}{self.of}.prom"
