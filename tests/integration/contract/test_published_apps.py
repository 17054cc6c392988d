"""Published apps: pages, data, uploads and events, and what outsiders may do to them."""

from __future__ import annotations

import threading

import pytest
from contract_kit import DOMAIN, PAGE, App
from waiting import until

OWN = {"Origin": f"http://{DOMAIN}", "X-Forwarded-Proto": "http"}


def test_a_published_app_is_served_on_its_domain_at_every_path(app: App) -> None:
    for path in ("/", "/deep/path", "/api/nothing"):
        answer = app.get(path, host=DOMAIN)
        assert (answer.status_code, answer.text) == (200, PAGE)
    assert app.get("/", host=f"www.{DOMAIN.upper()}:8443").text == PAGE


def test_a_published_app_comes_without_security_headers(app: App) -> None:
    headers = {name.lower() for name in app.get("/", host=DOMAIN).headers}
    protections = {"content-security-policy", "x-content-type-options", "x-frame-options"}
    assert not headers & protections


def test_an_unknown_host_leads_to_the_builder_and_is_written_down(app: App) -> None:
    answer = app.get("/", host="stranger.test")
    assert answer.headers["location"] == "/tinykit/new?domain=stranger.test"

    def is_written_down() -> bool:
        told = app.get("/api/domains", token=app.token).json()["domains"]
        return any(domain["hostname"] == "stranger.test" for domain in told)

    until(is_written_down, "the host")


def test_anybody_with_the_id_sees_preview_and_export(app: App) -> None:
    assert app.get(f"/tinykit/preview/{app.project}").text == PAGE
    assert app.get(f"/api/projects/{app.project}/export").json()["name"] == "My app"
    assert app.get("/tinykit/preview/nosuchproject00").status_code == 404


def test_anybody_reads_and_writes_the_data_of_an_app(app: App) -> None:
    path = f"/_tk/data/{app.project}/notes"
    assert app.post(path, {"id": "one", "text": "hello"}).status_code == 201
    assert app.get(f"{path}/one").json()["text"] == "hello"
    assert app.ask("PATCH", f"{path}/one", json={"text": "changed"}).json()["text"] == "changed"
    assert app.get(path).json()["items"] == [{"id": "one", "text": "changed"}]
    assert app.ask("DELETE", f"{path}/one").status_code == 204
    assert app.get(f"{path}/one").status_code == 404


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (f"https://{DOMAIN}", 404),
        (f"https://{DOMAIN}.evil.example", 404),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
def test_the_origin_check_looks_at_the_beginning_only(app: App, origin: str, status: int) -> None:
    path = f"/_tk/data/{app.project}/missing/x"
    assert app.ask("DELETE", path, headers={"Origin": origin}).status_code == status


def test_a_foreign_origin_is_an_internal_error_when_it_creates(app: App) -> None:
    path = f"/_tk/data/{app.project}/notes"
    answer = app.post(path, {"id": "x"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 500


def test_a_collection_called_proto_pollutes_the_process(app: App) -> None:
    assert "records" not in app.get("/login").headers
    assert app.post(f"/_tk/data/{app.project}/__proto__", {"id": "x"}).status_code == 201
    assert "records" in app.get("/login").headers


def test_an_upload_keeps_its_type_on_the_builders_origin(app: App) -> None:
    files = {"pic": ("page.html", "<script>1</script>", "text/html")}
    path = f"/_tk/data/{app.project}/files"
    stored = app.ask("POST", path, files=files, data={"id": "f"}, headers=OWN, host=DOMAIN).json()
    for address in (
        f"/_tk/assets/{app.project}/{stored['pic']}",
        f"/_tk/assets/{stored['pic']}?project_id={app.project}",
    ):
        answer = app.get(address)
        assert answer.headers["content-type"].startswith("text/html")
        assert "x-content-type-options" not in answer.headers
        assert answer.text == "<script>1</script>"
    assert app.get(f"/_tk/assets/{app.project}/other.png").status_code == 404


def test_the_placeholder_answers_on_every_host(app: App) -> None:
    answer = app.get("/_tk/assets/placeholder.jpg", host="bogus.test")
    assert answer.headers["content-type"] == "image/svg+xml"


def test_a_change_of_data_reaches_everybody_who_listens(app: App) -> None:
    news = {"id": "n", "text": "hot"}
    heard = threading.Event()

    def change() -> None:
        """Again and again: the server has subscribed a moment after it says that it listens."""
        app.post(f"/_tk/data/{app.project}/news", news)
        while not heard.wait(0.5):
            app.ask("PATCH", f"/_tk/data/{app.project}/news/n", json=news)

    events = app.events(until="data_updated")
    assert next(events) == ("connected", {})
    changing = threading.Thread(target=change)
    changing.start()
    try:
        updates = list(events)
    finally:
        heard.set()
        changing.join()
    assert updates[-1][1]["news"]["records"] == [news]


def test_realtime_of_an_unknown_project_is_refused(app: App) -> None:
    assert app.get("/_tk/realtime/nosuchproject00").status_code == 404
