"""The edge's own numbers, as a Prometheus gets them."""

from __future__ import annotations

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from edge_client import Edge
from ports import free_port
from waiting import PATIENCE, until


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(edge: Callable[..., Edge], driver, port: int) -> Iterator[Edge]:
    """An edge with metrics; nginx with the exporter that a host has."""
    made = edge(metrics={"enabled": True, "edge_port": port})
    if driver.kind == "caddy":
        yield made
        return
    status = f"--nginx.scrape-uri=http://127.0.0.1:{made.spare_port}/stub_status"
    listen = f"--web.listen-address=127.0.0.1:{port}"
    with subprocess.Popen(["prometheus-nginx-exporter", listen, status]) as exporter:
        yield made
        exporter.terminate()


def scraped(port: int) -> str:
    def asked() -> str:
        try:
            with urllib.request.urlopen(
                f"http://localhost:{port}/metrics", timeout=PATIENCE
            ) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    return until(asked, "an answer with metrics")


COUNTER = re.compile(
    r"^(?:caddy_http_request_duration_seconds_count{.*}|nginx_http_requests_total) (\d+)", re.M
)


def test_requests_are_counted_and_nobody_is_named(running: Edge, port: int) -> None:
    def counted() -> int:
        return sum(map(int, COUNTER.findall(scraped(port))))

    before = counted()
    for _ in range(5):
        running.ask("/some/page?token=secret-1", told={"status": 500})
    until(lambda: counted() >= before + 5, "the count of five requests")
    text = scraped(port)
    assert "secret-1" not in text
    assert "/some/page" not in text


def test_a_scrape_is_no_visit_in_the_log(running: Edge, port: int) -> None:
    scraped(port)
    assert "/metrics" not in (running.log.read_text() if running.log.exists() else "")
    assert "stub_status" not in (running.log.read_text() if running.log.exists() else "")


def test_nothing_but_numbers_is_served_there(running: Edge, driver, port: int) -> None:
    scraped(port)
    inner = port if driver.kind == "caddy" else running.spare_port
    with pytest.raises((urllib.error.URLError, ConnectionError, OSError)):
        urllib.request.urlopen(f"http://localhost:{inner}/tinykit", timeout=10)


def test_the_sites_have_no_metrics(running: Edge) -> None:
    for path in ("/metrics", "/stub_status"):
        running.ask(path)
        assert running.tinykit.asked[-1].path == path
