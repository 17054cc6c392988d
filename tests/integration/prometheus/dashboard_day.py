"""A made-up day of two hosts, as OpenMetrics: what the picture of the dashboard shows."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

STEP = 60  #: seconds
DAY = 86400
CADDY, NGINX = "web1.example.com", "web2.example.com"
_LIMITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


def openmetrics(end: int) -> str:
    """The day that ends then, in seconds since 1970; series by series, as promtool wants it."""
    lines: list[str] = []
    for instance in (CADDY, NGINX):
        lines += _host(instance, end)
    return "\n".join([*lines, "# EOF"]) + "\n"


def _host(instance: str, end: int) -> Iterator[str]:
    chance = random.Random(instance)
    times = range(end - DAY, end + 1, STEP)
    first = instance == CADDY

    def series(metric: str, values: list[float], **labels: str) -> Iterator[str]:
        text = ",".join(f'{key}="{one}"' for key, one in {"instance": instance, **labels}.items())
        for moment, value in zip(times, values, strict=True):
            yield f"{metric}{{{text}}} {value:.10g} {moment}"

    def counter(steps: list[float]) -> list[float]:
        total, found = 0.0, []
        for step in steps:
            total += step
            found.append(total)
        return found

    def trouble(moment: int) -> bool:
        return first and 5 * 3600 < end - moment < 5.7 * 3600

    busy = [
        STEP * (3 if first else 1.2) * (1.1 - math.cos((one % DAY / DAY - 0.1) * 2 * math.pi))
        * chance.lognormvariate(0, 0.1)
        for one in times
    ]  # fmt: skip
    failed = [
        n * (0.3 if trouble(t) else 0.002) * chance.random()
        for t, n in zip(times, busy, strict=True)
    ]
    guesses = [chance.randrange(3) + (40 if 9 < (end - t) / 3600 < 9.5 else 0) for t in times]
    flat = [1.0] * len(times)
    yield from series("up", flat, job="tinykit")
    yield from series("tinykit_healthy", flat, program="pocketbase")
    yield from series("tinykit_healthy", flat, program="tinykit")
    yield from series("tinykit_edge_requests_total", counter(busy))
    yield from series("tinykit_edge_failed_requests_total", counter(failed))
    yield from series("tinykit_edge_refused_logins_total", counter(guesses))
    for limit in (*_LIMITS, math.inf):
        part = [
            n * (1 - math.exp(-limit / (0.9 if trouble(t) else 0.12)))
            for t, n in zip(times, busy, strict=True)
        ]
        label = "+Inf" if limit == math.inf else f"{limit}"
        name = "tinykit_edge_request_duration_seconds_bucket"
        yield from series(name, counter(part), le=label)
    if first:
        good = [n - f for n, f in zip(busy, failed, strict=True)]
        for code, values in {"200": good, "502": failed}.items():
            name = "caddy_http_request_duration_seconds_count"
            yield from series(name, counter(values), code=code)
    else:
        yield from series("nginx_connections_active", [2 + n / 20 for n in busy])
        yield from series("nginx_connections_waiting", [1 + n / 40 for n in busy])
    idle = [STEP * (0.95 - n / 1500) for n in busy]
    yield from series("node_cpu_seconds_total", counter(idle), mode="idle")
    size = 4e9
    yield from series("node_memory_MemTotal_bytes", [size] * len(times))
    free = [size * (0.62 - n / 4000) for n in busy]
    yield from series("node_memory_MemAvailable_bytes", free)
    disk = [4e10 * (0.7 - 0.02 * number / len(times)) for number in range(len(times))]
    yield from series("node_filesystem_avail_bytes", disk, mountpoint="/")
    yield from series("node_filesystem_size_bytes", [4e10] * len(times), mountpoint="/")
    nightly = [float((t - 11_820) // DAY * DAY + 11_820) for t in times]
    for kind in ("success", "verified"):
        yield from series(
            f"tinykit_backup_last_{kind}_timestamp_seconds", nightly, target="offsite"
        )
    grown = [2e8 + (t // DAY % 10) * 3e6 for t in times]
    yield from series("tinykit_backup_data_bytes", grown, target="offsite")
    took = [21.0 + (t // DAY % 10) for t in times]
    yield from series("tinykit_backup_duration_seconds", took, target="offsite")
    yield from series(
        "tinykit_check_findings", [0.0 if first else 1.0] * len(times), severity="low"
    )
    ends = [float(end + (51 if first else 63) * DAY)] * len(times)
    yield from series(
        "tinykit_certificate_not_after_timestamp_seconds", ends, name=f"apps.{instance}"
    )
    for name in ("errors", "memory", "disk:/"):
        bad = [float(name == "errors" and trouble(t)) for t in times]
        yield from series("tinykit_watch_problem", bad, id=name)
    full = [float(not first)] * len(times)
    yield from series("tinykit_watch_problem", full, id="backup:second")
    versions = {"tinykit": "617db3416af2", "pocketbase": "0.40.6"}
    versions["proxy"] = "caddy 2.11.3" if first else "nginx 1.26.3"
    for program, version in versions.items():
        yield from series("tinykit_version_info", flat, program=program, version=version)
