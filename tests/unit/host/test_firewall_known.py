"""Fetching a CDN's list: only what came over https all the way counts."""

import io

import pytest
import requests

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import firewall_known

LIST = "https://cdn.example.com/ips"


def answered(monkeypatch, *hops):
    """The network answers with redirects over these addresses, the last one with a list."""
    steps = []
    for url in hops:
        step = requests.Response()
        step.url, step.status_code, step.raw = url, 200, io.BytesIO(b"203.0.113.0/24\n")
        steps.append(step)
    *before, answer = steps
    answer.history = before
    monkeypatch.setattr(firewall_known.requests, "get", lambda *_, **__: answer)


def test_a_list_is_read_also_behind_a_safe_redirect(monkeypatch):
    answered(monkeypatch, LIST, "https://elsewhere.example.com/ips")
    assert firewall_known.fetch(LIST) == "203.0.113.0/24\n"


@pytest.mark.parametrize(
    "hops",
    [
        [LIST, "http://cdn.example.com/ips"],
        # Whoever is on the way of the second could have named the third.
        [LIST, "http://cdn.example.com/ips", "https://evil.example/ips"],
    ],
)
def test_a_redirect_over_plain_http_is_refused_wherever_it_leads(monkeypatch, hops):
    answered(monkeypatch, *hops)
    with pytest.raises(UnavailableError, match="unsafe"):
        firewall_known.fetch(LIST)
