"""The open proxy, PocketBase behind /_pb, and what adapter-node does to requests."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from contract_kit import EMAIL, App
from waiting import PATIENCE

from tinykit_ops.errors import UnavailableError

BIG = "x" * (600 * 1024)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "10.0.0.1", "172.20.0.1", "192.168.0.1", "0.0.0.0", "2130706433"],
)
def test_the_proxy_refuses_the_addresses_it_knows(app: App, host: str) -> None:
    assert app.get(f"/api/proxy?url=http://{host}:1/").status_code == 403


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "100.64.0.1"])
def test_the_proxy_lets_internal_addresses_through(app: App, host: str) -> None:
    assert app.get(f"/api/proxy?url=http://{host}:1/").status_code == 502


def test_the_proxy_reaches_pocketbase_from_loopback(app: App) -> None:
    answer = app.get("/api/proxy?url=http://[::ffff:127.0.0.1]:8091/api/health")
    assert answer.json()["code"] == 200
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_proxy_hands_out_html_on_the_builders_origin(app: App) -> None:
    answer = app.get("/api/proxy?url=http://[::ffff:127.0.0.1]:8091/_/")
    assert answer.headers["content-type"].startswith("text/html")


def test_the_dashboard_of_pocketbase_is_open(app: App) -> None:
    assert app.get("/_pb/_/").headers["location"] == "/_pb/_"
    assert "<html" in app.get("/_pb/_").text


def test_pocketbase_believes_the_clients_forwarded_address(app: App) -> None:
    settings = {"trustedProxy": {"headers": ["X-Forwarded-For"], "useLeftmostIP": True}}
    owner = {"Authorization": app.superuser_token}
    assert app.ask("PATCH", "/_pb/api/settings", json=settings, headers=owner).ok
    forged = {"X-Forwarded-For": "203.0.113.9", **owner}
    assert app.get("/_pb/api/health", headers=forged).json()["data"]["realIP"] == "203.0.113.9"


@pytest.mark.parametrize("path", ["/tinykit", "/%74inykit", "/login", "/tinykit/studio", "/setup"])
def test_page_shells_go_to_everybody(app: App, path: str) -> None:
    answer = app.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert "tinykit-contract-app" in answer.text


def test_data_of_pages_goes_to_everybody(app: App) -> None:
    assert app.get("/tinykit/studio/__data.json").json()["type"] == "data"


def test_basic_auth_does_not_open_the_builders_api(app: App) -> None:
    answer = app.get("/api/projects", headers={"Authorization": "Basic YTpi"})
    assert answer.status_code == 401
    assert "www-authenticate" not in answer.headers


def test_an_upload_above_the_limit_fails_and_a_larger_limit_lets_it_through(
    app: App, start: Callable[..., App]
) -> None:
    path = "/_pb/api/collections/users/auth-with-password"
    body = {"identity": EMAIL, "password": BIG}
    assert app.post(path, body).text == "Proxy error"
    larger = start(environment={"BODY_SIZE_LIMIT": "2M"})
    assert larger.post(path, body).status_code == 400


def test_a_chunked_upload_passes_the_limit(app: App) -> None:
    path = f"/_tk/data/{app.project}/chunks"
    headers = {"Content-Type": "application/json"}
    body = iter([b'{"id":"c","text":"', BIG.encode(), b'"}'])
    assert app.ask("POST", path, data=body, headers=headers).status_code == 201


def test_a_form_over_http_is_refused_unless_the_edge_names_the_protocol(
    app: App, start: Callable[..., App]
) -> None:
    form = {"files": {"a": ("a.txt", "a")}, "headers": {"Origin": app.instance.url}}
    path = f"/_tk/data/{app.project}/notes"
    refused = app.ask("POST", path, **form)
    assert (refused.status_code, "Cross-site" in refused.text) == (403, True)
    form["headers"] = {"Origin": app.instance.url, "X-Forwarded-Proto": "http"}
    assert app.ask("POST", path, **form).status_code != 403
    bare = start(environment={})
    form["headers"] = {"Origin": bare.instance.url, "X-Forwarded-Proto": "http"}
    assert bare.ask("POST", path, **form).status_code == 403


def test_sigterm_ends_the_server(start: Callable[..., App]) -> None:
    app = start()
    app.instance.app.send_signal(signal.SIGTERM)
    assert app.instance.app.wait(PATIENCE) == 0


def test_sigterm_waits_no_longer_than_told_for_open_streams(start: Callable[..., App]) -> None:
    app = start(environment={"SHUTDOWN_TIMEOUT": "1"})
    app.publish()
    events = app.events(until="never")
    assert next(events)[0] == "connected"
    app.instance.app.send_signal(signal.SIGTERM)
    assert app.instance.app.wait(25) == 0  # and not after the 30 seconds that nobody told


def test_a_wrong_body_limit_is_refused_at_the_start(start: Callable[..., App]) -> None:
    with pytest.raises(UnavailableError, match="BODY_SIZE_LIMIT is not a size: many"):
        start(environment={"BODY_SIZE_LIMIT": "many"})
