"""Metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Mapping


def head(name: str, meaning: str, kind: str = "gauge") -> list[str]:
    """The lines before the samples of a metric."""
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]


def sample(name: str, labels: Mapping[str, str], value: float) -> str:
    """One line: a metric, its labels, its value."""
    text = ",".join(f'{label}="{_escaped(each)}"' for label, each in labels.items())
    return f"{name}{{{text}}} {value:.13g}" if text else f"{name} {value:.13g}"


def _escaped(value: str) -> str:
    """As the format wants a label's value."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
