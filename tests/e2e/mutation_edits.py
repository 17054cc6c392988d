"""Changes of a proxy's configuration that mean the same for Caddy and for nginx."""

from __future__ import annotations

import re

from mutation_bench import MutationBench
from mutation_kinds import Break, edge

from tinykit_ops import layout

TINYKIT = f"127.0.0.1:{layout.TINYKIT_PORT}"
POCKETBASE = f"127.0.0.1:{layout.POCKETBASE_PORT}"
BUILDER, PUBLISHED = "builder", "published"


def passes(path: str, role: str = BUILDER, upstream: str = TINYKIT) -> Break:
    """This path (and, with `*` at its end, all that begin so) is passed on to anybody."""
    strip = path.startswith("/_pb/")
    caddy = "\turi strip_prefix /_pb\n" if strip else ""
    upstream = POCKETBASE if strip else upstream
    how = f"{caddy}\treverse_proxy {upstream}"
    nginx = "rewrite ^/_pb(.*)$ $1 break; " if strip else ""
    return edge(
        lambda _, said: _in_caddy(said, role, path, how),
        lambda bench, said: _in_nginx(
            bench, said, role, path, f"{nginx}proxy_pass http://{upstream};"
        ),
    )


def answers(
    path: str, body: str, role: str = PUBLISHED, *, status: int = 200, kind: str = "text/plain"
) -> Break:
    """The proxy says this itself."""
    how = f'\theader Content-Type "{kind}"\n\trespond `{body}` {status}'
    quoted = body.replace("\n", "\\n").replace('"', '\\"')
    return edge(
        lambda _, said: _in_caddy(said, role, path, how),
        lambda bench, said: _in_nginx(
            bench, said, role, path, f'default_type "{kind}"; return {status} "{quoted}";'
        ),
    )


def answers_target(pattern: str, body: str, role: str = PUBLISHED) -> Break:
    """The same for a request target as it came, by a pattern."""
    matcher = f"@mutated vars_regexp {{http.request.orig_uri}} {pattern}"
    return edge(
        lambda _, said: _in_caddy_site(
            said, role, f"{matcher}\nhandle @mutated {{\n\trespond `{body}`\n}}\n"
        ),
        lambda bench, said: _in_nginx_site(
            bench, said, role, f'if ($request_uri ~ "{pattern}") {{ return 200 "{body}"; }}'
        ),
    )


def passes_target(pattern: str, to: str, role: str = BUILDER) -> Break:
    """A request target as it came, by a pattern, is passed on to anybody as another path."""
    matcher = f"@mutated vars_regexp {{http.request.orig_uri}} {pattern}"
    how = f"rewrite * {to}\n\treverse_proxy {TINYKIT}"
    return edge(
        lambda _, said: _in_caddy_site(said, role, f"{matcher}\nhandle @mutated {{\n\t{how}\n}}\n"),
        lambda bench, said: _in_nginx_site(
            bench,
            said,
            role,
            f'if ($request_uri ~ "{pattern}") {{ rewrite ^ /.mutated last; }}\n'
            f"location = /.mutated {{ internal; proxy_pass http://{TINYKIT}{to}; }}",
        ),
    )


def without(caddy: str, nginx: str, by_caddy: str = "", by_nginx: str = "") -> Break:
    """What these patterns match is gone from the configuration, or something else."""
    return edge(
        lambda _, said: re.sub(caddy, by_caddy, said), lambda _, said: re.sub(nginx, by_nginx, said)
    )


def only_caddy(pattern: str, by: str) -> Break:
    """What a pattern matches in the Caddyfile is something else."""
    return edge(caddy=lambda _, said: re.sub(pattern, by, said))


def only_nginx(pattern: str, by: str) -> Break:
    """What a pattern matches in nginx's configuration is something else."""
    return edge(nginx=lambda _, said: re.sub(pattern, by, said))


def _in_caddy(said: str, role: str, path: str, how: str) -> str:
    return _in_caddy_site(said, role, f"handle {path} {{\n{how}\n}}\n")


def _in_caddy_site(said: str, role: str, block: str) -> str:
    """Put a block before every other of a site's route."""
    start = said.index(f"(site-{role}) {{")
    place = said.index("\trequest_header -X-Forwarded-*", start)
    # Before what refuses tricks, too.
    place = said.rindex("route {", start, place) + len("route {")
    return f"{said[:place]}\n{block}{said[place:]}"


def _in_nginx(bench: MutationBench, said: str, role: str, path: str, how: str) -> str:
    place = f"^~ {path[:-1]}" if path.endswith("*") else f"= {path}"
    return _in_nginx_site(bench, said, role, f"location {place} {{ {how} }}")


def _in_nginx_site(bench: MutationBench, said: str, role: str, block: str) -> str:
    """Put a block into the server of a site's name."""
    name = bench.builder if role == BUILDER else bench.domain
    pattern = re.compile(
        rf"(listen 443 ssl http2;\s+(?:listen \[::\]:443[^;]*;\s+)?server_name {re.escape(name)};)"
    )
    return pattern.sub(lambda found: f"{found[1]}\n{block}", said, count=1)
