from dataclasses import dataclass, field

import pytest

from tinykit_ops.edge.paths import matches, normalise
from tinykit_ops.edge.routes import ROUTES, RouteClass, Seen, Upstream, classify, route_named


@dataclass
class Answer:
    status: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def class_of(method: str, path: str) -> RouteClass | None:
    route = classify(method, path)
    return route.classification if route else None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/tinykit", "builder"),
        ("GET", "/tinykit/studio", "builder"),
        ("GET", "/tinykit/studio/__data.json", "builder"),
        ("GET", "/tinykit/preview/abc", "builder"),
        ("GET", "/login", "builder"),
        ("GET", "/setup", "never"),
        ("GET", "/api/setup", "answered"),
        ("POST", "/api/setup", "never"),
        ("PUT", "/api/setup", "never"),
        ("POST", "/api/auth/save-server-credentials", "answered"),
        ("POST", "/api/migrate-build-fields", "never"),
        ("GET", "/api/projects/abc/export", "builder"),
        ("POST", "/api/settings/validate-llm", "builder"),
        ("GET", "/api/proxy?url=x", "published"),
        ("POST", "/api/proxy", "builder"),
        ("GET", "/_tk/data/abc/posts", "published"),
        ("DELETE", "/_tk/data/abc/posts/1", "published"),
        ("POST", "/_tk/data/abc/__proto__", "never"),
        ("PATCH", "/_tk/data/abc/constructor/1", "never"),
        ("POST", "/_tk/data/abc/toString", "never"),
        ("GET", "/_tk/data/abc/__defineGetter__/1", "never"),
        ("POST", "/_tk/data/abc/toStrings", "published"),
        ("GET", "/_tk/realtime/abc", "published"),
        ("GET", "/_tk/assets/placeholder.jpg", "published"),
        ("GET", "/api/agent/test", "builder"),
        ("GET", "/api/projects", "builder"),
        ("POST", "/api/projects/abc/agent", "builder"),
        ("POST", "/api/agent/clear", "builder"),
        ("GET", "/api/domains", "builder"),
        ("GET", "/api/templates", "builder"),
        ("GET", "/api/templates/abc", "builder"),
        ("GET", "/api/settings/llm-status", "builder"),
        ("GET", "/api/some-route-of-a-later-version", "builder"),
        ("GET", "/_pb/_/", "admin"),
        ("GET", "/_pb/_/images/logo.svg", "admin"),
        ("GET", "/_pb/libs/x.js", "admin"),
        ("GET", "/_pb/api/settings", "admin"),
        ("POST", "/_pb/api/settings/test/email", "admin"),
        ("GET", "/_pb/api/backups", "admin"),
        ("GET", "/_pb/api/logs/stats", "admin"),
        ("GET", "/_pb/api/crons", "admin"),
        ("POST", "/_pb/api/sql", "admin"),
        ("POST", "/_pb/api/collections/_superusers/auth-with-password", "admin"),
        ("GET", "/_pb/api/collections/pbc_3142635823/records", "admin"),
        ("GET", "/_pb/api/collections", "admin"),
        ("PATCH", "/_pb/api/collections/users", "admin"),
        ("POST", "/_pb/api/collections/users/auth-with-otp", "admin"),
        ("GET", "/_pb/api/collections/_tk_projects/records", "builder"),
        ("GET", "/_pb/api/collections/_tk_projects/records/abc", "builder"),
        ("POST", "/_pb/api/collections/users/auth-with-password", "builder"),
        ("GET", "/_pb/api/files/a/b/c.png", "builder"),
        ("GET", "/_pb/api/tinykit-ops/judge", "never"),
        ("GET", "/_pb/something", "admin"),
        ("GET", "/", None),
        ("GET", "/tinykitten", None),
        ("GET", "/_app/immutable/entry/start.js", None),
        ("GET", "/blog/api/setup", None),
    ],
)
def test_every_route_of_the_facts_page_has_its_class(
    method: str, path: str, expected: str | None
) -> None:
    assert class_of(method, path) == expected


SPELLINGS = {
    "/tinykit": [
        "/%74inykit",
        "//tinykit",
        "/TINYKIT",
        "/x/../tinykit",
        "/./tinykit/",
        "/x/%2e%2e/tinykit",
        "/x\\..\\tinykit",
        "/x%5c..%5ctinykit",
        "/%2574inykit",
        "/tinykit%2fstudio",
        "/tinykit#/../",
        "/tinykit?x=/../",
        "/tiny\tkit",
    ],
    "/_pb/api/collections/_superusers/auth-with-password": [
        "/_pb/api/collections/_SUPERUSERS/auth-with-password",
        "/_pb//api/collections/%5fsuperusers/auth-with-password",
        "/_pb/api/x/../collections/_superusers/auth-with-password",
    ],
    "/api/setup": ["/api//setup", "/api/setup/", "/api/%73etup", "/API/setup"],
}


@pytest.mark.parametrize(
    ("plain", "spelled"), [(plain, odd) for plain, all_ in SPELLINGS.items() for odd in all_]
)
def test_no_spelling_of_a_path_leaves_its_row(plain: str, spelled: str) -> None:
    assert classify("POST", spelled) == classify("POST", plain) is not None


def test_dot_segments_do_not_climb_above_the_root() -> None:
    assert normalise("/../../tinykit") == "/tinykit"
    assert normalise("/") == normalise("") == normalise("/..") == "/"


def test_a_star_in_the_middle_stands_for_one_segment_only() -> None:
    assert matches("/api/projects/*/export", "/api/projects/abc/export")
    assert not matches("/api/projects/*/export", "/api/projects/a/b/export")
    assert not matches("/api/projects/*/export", "/api/projects/export")


def test_a_prefix_pattern_covers_its_folder_but_no_longer_name() -> None:
    assert matches("/tinykit/*", "/tinykit/a/b")
    assert matches("/tinykit/*", "/tinykit")
    assert not matches("/tinykit/*", "/tinykitten")


def test_row_names_are_unique_and_patterns_are_lower_case_and_normal() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    patterns = [pattern for route in ROUTES for pattern in route.paths]
    assert all(pattern == pattern.lower() and pattern.startswith("/") for pattern in patterns)
    assert all("//" not in pattern and not pattern.endswith("/") for pattern in patterns)


def test_every_row_can_be_reached_by_some_request() -> None:
    for route in ROUTES:
        methods = route.methods or ("PUT", "GET")
        asked = [(m, p.replace("*", "zzz")) for m in methods for p in route.paths]
        assert any(classify(method, path) is route for method, path in asked), route.name


def test_only_answered_rows_carry_an_answer() -> None:
    for route in ROUTES:
        assert (route.answer is not None) == (route.classification == RouteClass.ANSWERED)


def test_logging_in_has_three_doors() -> None:
    assert [route.name for route in ROUTES if route.door] == [
        "login-page",
        "auth-with-password",
        "auth-refresh",
    ]


def test_rows_of_pocketbase_lose_their_prefix_and_dashboard_files_move_under_the_dashboard() -> (
    None
):
    for route in ROUTES:
        assert (route.strip == "/_pb") == (route.upstream == Upstream.POCKETBASE)
    assert route_named("dashboard-files").prepend == "/_"


def test_an_unknown_row_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        route_named("nosuch")


def test_every_probe_asks_for_its_own_row() -> None:
    for route in ROUTES:
        if route.probe and route.name != "migrate":
            assert classify(route.probe.method, route.probe.path) is route, route.name


def test_probes_never_use_a_method_that_writes_except_with_an_empty_object() -> None:
    for route in ROUTES:
        if route.probe:
            assert route.probe.method == "GET" or (
                route.probe.method == "POST" and route.probe.body == "{}"
            )


@pytest.mark.parametrize(
    ("name", "answer", "seen"),
    [
        ("setup-status", Answer(200, '{"needs_setup":true}'), Seen.OPEN),
        ("setup-status", Answer(200, '{"needs_setup": true}'), Seen.OPEN),
        ("setup-status", Answer(200, '{"needs_setup":false}'), Seen.CLOSED),
        ("setup-status", Answer(200, "<html>hotel wifi</html>"), Seen.UNCLEAR),
        ("setup-claim", Answer(400, '{"error":"Setup already completed"}'), Seen.OPEN),
        ("setup-claim", Answer(404, ""), Seen.CLOSED),
        ("setup-claim", Answer(502, ""), Seen.UNCLEAR),
        ("builder-pages", Answer(200, "", {"x-sveltekit-page": "true"}), Seen.OPEN),
        ("builder-pages", Answer(200, "<script>__sveltekit_1a = {}</script>"), Seen.OPEN),
        ("builder-pages", Answer(200, "<html>hotel wifi</html>"), Seen.UNCLEAR),
        ("builder-pages", Answer(302, "", {"location": "/login?next=/tinykit"}), Seen.CLOSED),
        ("builder-pages", Answer(302, "", {"location": "https://portal.example/"}), Seen.UNCLEAR),
        ("builder-pages", Answer(429, ""), Seen.UNCLEAR),
        ("export", Answer(404, '{"error":"Project not found"}'), Seen.OPEN),
        ("export", Answer(404, ""), Seen.CLOSED),
        ("builder-api", Answer(401, '{"error":"Authentication required"}'), Seen.OPEN),
        ("builder-api", Answer(401, ""), Seen.CLOSED),
        ("migrate", Answer(405, "GET method not allowed"), Seen.OPEN),
        ("migrate", Answer(405, ""), Seen.CLOSED),
        ("dashboard", Answer(308, "", {"location": "/_pb/_"}), Seen.OPEN),
        ("dashboard", Answer(200, "<title>PocketBase</title>"), Seen.OPEN),
        ("dashboard", Answer(403, ""), Seen.CLOSED),
        ("settings", Answer(401, '{"data":{},"message":"x","status":401}'), Seen.OPEN),
        ("settings", Answer(401, "no"), Seen.CLOSED),
        ("records", Answer(200, '{"items":[],"totalItems":0}'), Seen.OPEN),
    ],
)
def test_an_answer_of_the_application_is_told_from_a_refusal(
    name: str, answer: Answer, seen: Seen
) -> None:
    probe = route_named(name).probe
    assert probe is not None
    assert probe.judge(answer) == seen
