"""The panels of the dashboard, as data: what each asks Prometheus, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

_HERE = 'instance=~"$instance"'
_RATE = "[$__rate_interval]"
_FAILED = "tinykit_edge_failed_requests_total"
_ALL = "tinykit_edge_requests_total"
_BUCKETS = "tinykit_edge_request_duration_seconds_bucket"


@dataclass(frozen=True)
class Panel:
    """One of them.

    Attributes:
        kind: Grafana's name: `stat`, `timeseries` or `table`.
        queries: legend → PromQL; `$instance` and `$__rate_interval` are Grafana's.
        width: of 24.
        steps: colour → from which value on it is; the first for anything below.
    """

    title: str
    kind: str
    queries: dict[str, str]
    unit: str = "short"
    width: int = 8
    about: str = ""
    steps: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def _stat(title: str, query: str, unit: str, steps: dict[str, float], about: str = "") -> Panel:
    return Panel(title, "stat", {"{{instance}}": query}, unit, 4, about, steps)


_AGE = "time() - min by (instance) (tinykit_backup_last_{}_timestamp_seconds{{" + _HERE + "}})"

#: Is there where another release was switched to.
RELEASES = f"changes(tinykit_release_activated_timestamp_seconds{{{_HERE}}}[2m]) > 0"
ROWS = (
    Row(
        "Now",
        (
            _stat(
                "Programs that answer",
                f"min by (instance) (tinykit_healthy{{{_HERE}}})",
                "bool_yes_no",
                {"red": 0, "green": 1},
            ),
            _stat(
                "Problems",
                f"sum by (instance) (tinykit_watch_problem{{{_HERE}}})",
                "short",
                {"green": 0, "red": 1},
                "What `tinykit-ops watch` calls a problem now.",
            ),
            _stat(
                "Findings",
                f"sum by (instance) (tinykit_check_findings{{{_HERE}}})",
                "short",
                {"green": 0, "orange": 1},
                "Of the last nightly `tinykit-ops check`.",
            ),
            _stat(
                "Certificate ends in",
                "min by (instance) "
                f"(tinykit_certificate_not_after_timestamp_seconds{{{_HERE}}} - time())",
                "s",
                {"red": 0, "orange": 3 * 86400, "green": 10 * 86400},
            ),
            _stat(
                "Last backup",
                _AGE.format("success"),
                "s",
                {"green": 0, "red": 30 * 3600},
                "How long ago, of the target where it is longest.",
            ),
            _stat(
                "Last restore that was proven",
                _AGE.format("verified"),
                "s",
                {"green": 0, "red": 10 * 86400},
            ),
        ),
    ),
    Row(
        "Traffic",
        (
            Panel(
                "Requests",
                "timeseries",
                {"{{instance}}": f"sum by (instance) (rate({_ALL}{{{_HERE}}}{_RATE}))"},
                "reqps",
                about="From the edge's log, as the watch reads it every minute.",
            ),
            Panel(
                "Failed answers",
                "timeseries",
                {
                    "{{instance}}": f"sum by (instance) (rate({_FAILED}{{{_HERE}}}{_RATE})) / "
                    f"sum by (instance) (rate({_ALL}{{{_HERE}}}{_RATE}))"
                },
                "percentunit",
                about="500 and above.",
            ),
            Panel(
                "Time to answer",
                "timeseries",
                {
                    f"{share} {{{{instance}}}}": f"histogram_quantile({level}, "
                    f"sum by (instance, le) (rate({_BUCKETS}{{{_HERE}}}{_RATE})))"
                    for share, level in {"half": 0.5, "95 %": 0.95}.items()
                },
                "s",
            ),
            Panel(
                "Refused logins in five minutes",
                "timeseries",
                {
                    "{{instance}}": "sum by (instance) "
                    f"(increase(tinykit_edge_refused_logins_total{{{_HERE}}}[5m]))"
                },
            ),
            Panel(
                "Caddy: answers by code",
                "timeseries",
                {
                    "{{code}}": "sum by (code) "
                    f"(rate(caddy_http_request_duration_seconds_count{{{_HERE}}}{_RATE}))"
                },
                "reqps",
                about="Empty for hosts with nginx.",
            ),
            Panel(
                "nginx: connections",
                "timeseries",
                {
                    "{{instance}} active": f"nginx_connections_active{{{_HERE}}}",
                    "{{instance}} waiting": f"nginx_connections_waiting{{{_HERE}}}",
                },
                about="Empty for hosts with Caddy.",
            ),
        ),
    ),
    Row(
        "Host",
        (
            Panel(
                "Processor",
                "timeseries",
                {
                    "{{instance}}": "1 - avg by (instance) "
                    f'(rate(node_cpu_seconds_total{{mode="idle",{_HERE}}}{_RATE}))'
                },
                "percentunit",
            ),
            Panel(
                "Memory that is available",
                "timeseries",
                {
                    "{{instance}}": f"node_memory_MemAvailable_bytes{{{_HERE}}} / "
                    "node_memory_MemTotal_bytes"
                },
                "percentunit",
            ),
            Panel(
                "Disk that is free",
                "timeseries",
                {
                    "{{instance}} {{mountpoint}}": "node_filesystem_avail_bytes"
                    f'{{mountpoint=~"/|/var.*",{_HERE}}} / node_filesystem_size_bytes'
                },
                "percentunit",
            ),
        ),
    ),
    Row(
        "Data and versions",
        (
            Panel(
                "Data in the last snapshot",
                "timeseries",
                {"{{instance}} {{target}}": f"tinykit_backup_data_bytes{{{_HERE}}}"},
                "bytes",
            ),
            Panel(
                "Time that a backup takes",
                "timeseries",
                {"{{instance}} {{target}}": f"tinykit_backup_duration_seconds{{{_HERE}}}"},
                "s",
            ),
            Panel(
                "Problems now",
                "table",
                {"": f"tinykit_watch_problem{{{_HERE}}} == 1"},
            ),
            Panel("Versions", "table", {"": f"tinykit_version_info{{{_HERE}}}"}, width=24),
        ),
    ),
)
