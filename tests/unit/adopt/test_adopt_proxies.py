"""Names in the configurations of reverse proxies."""

from __future__ import annotations

import pytest

from tinykit_ops.adopt.proxies import Site, sites

CADDY = """
{
\temail you@example.com
}
(log) {
\tlog
}
https://apps.example.com, www.apps.example.com:443 {
\timport log
\thandle /x {
\t\trespond 404
\t}
\treverse_proxy 127.0.0.1:3000
}
blog.example.com {
\treverse_proxy :4000
}
"""
NGINX = """
http {
    upstream kit { server 127.0.0.1:3000; }
    server { listen 80; server_name apps.example.com; return 301 https://$host$request_uri; }
    server {
        listen 443 ssl; # with a comment }
        server_name apps.example.com *.apps.example.com;
        location / { proxy_pass http://kit; }
    }
    server { listen 80 default_server; server_name _; return 444; }
    server { server_name old.example.com; location / { proxy_pass http://localhost:8080/; } }
}
"""


def test_a_caddyfile_tells_who_is_passed_to_tinykit():
    assert sites("caddy", CADDY, {"3000"}) == [
        Site(("apps.example.com", "www.apps.example.com"), tinykit=True),
        Site(("blog.example.com",), tinykit=False),
    ]


def test_a_caddyfile_of_one_site_needs_no_braces():
    assert sites("caddy", "apps.example.com\nreverse_proxy localhost:3000\n", {"3000"}) == [
        Site(("apps.example.com",), tinykit=True)
    ]


def test_nginx_tells_it_too_and_a_redirect_of_the_same_names_is_no_site_of_others():
    found = sites("nginx", NGINX, {"3000"})
    assert [site.names[0] for site in found if site.tinykit] == ["apps.example.com"] * 2
    assert [site.names[0] for site in found if not site.tinykit] == ["old.example.com"]


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
@pytest.mark.parametrize("text", ["", "{", "server {", "}}}", "server_name ;"])
def test_broken_configurations_have_no_sites_of_tinykits(kind, text):
    assert not [site for site in sites(kind, text, {"3000"}) if site.tinykit]
