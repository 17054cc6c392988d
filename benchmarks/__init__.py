"""Repeatable comparisons with peers; each prints ratios. `scripts/bench NAME` runs one."""
