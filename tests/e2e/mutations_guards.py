"""Breaks of the proxy: headers, limits and other guards that are gone."""

from __future__ import annotations

from mutation_edits import (
    only_caddy,
    only_nginx,
    without,
)
from mutation_kinds import mutation

from tinykit_ops import layout

GUARDS = (
    mutation(
        "builder framed",
        "builder.not-framed",
        without(
            r"header >X-Frame-Options SAMEORIGIN",
            r'more_set_headers "X-Frame-Options: SAMEORIGIN";',
        ),
    ),
    mutation(
        "preview without sandbox",
        "preview.sandboxed",
        without(
            r'header >Content-Security-Policy "sandbox allow[^\n]*',
            r'more_set_headers "Content-Security-Policy: sandbox allow[^\n]*',
        ),
    ),
    mutation(
        "uploads without sandbox",
        "origin.foreign-bytes-inert",
        without(
            r'header >Content-Security-Policy "sandbox; [^\n]*',
            r'more_set_headers "Content-Security-Policy: sandbox; [^\n]*',
        ),
    ),
    mutation(
        "Origin not compared",
        "origin.writes-exact",
        without(r"respond @foreign 403", r"if \(\$tinykit_foreign\) \{\s+return 403[^}]*\}"),
    ),
    mutation(
        "other sites may read",
        "origin.no-foreign-reads",
        without(
            r"(?m)^\theader \{$",
            r"more_clear_headers Server",
            by_caddy="\theader {\n\t\tAccess-Control-Allow-Origin {http.request.header.Origin}\n"
            "\t\tAccess-Control-Allow-Credentials true",
            by_nginx='more_set_headers "Access-Control-Allow-Origin: $http_origin" '
            '"Access-Control-Allow-Credentials: true";\n\tmore_clear_headers Server',
        ),
    ),
    mutation(
        "the server names its version",
        "disclosure.quiet-headers",
        without(
            r"(?m)^\t\t-Server$",
            r"more_clear_headers Server",
            by_caddy='\t\tServer "Caddy/2.11.7"',
            by_nginx='more_set_headers "Server: nginx/1.26.3";\n\tmore_clear_headers',
        ),
    ),
    mutation(
        "no HSTS",
        "https.hsts",
        without(r"Strict-Transport-Security[^\n]*", r'more_set_headers "Strict-Transport[^\n]*'),
    ),
    mutation(
        "HSTS of an hour",
        "https.hsts",
        without("max-age=31536000", "max-age=31536000", "max-age=3600", "max-age=3600"),
    ),
    mutation(
        "plain HTTP serves",
        "https.redirect",
        without(
            r"redir https://\{host\}\{uri\} 308",
            r"return 308 https://\$host\$request_uri;",
            by_caddy="reverse_proxy 127.0.0.1:3000",
            by_nginx="proxy_pass http://127.0.0.1:3000;",
        ),
    ),
    mutation(
        "any name served",
        "origin.unknown-names-refused",
        without(
            r"strict_sni_host on",
            r"set \$tinykit_row none;\s+return 444;",
            by_caddy="strict_sni_host insecure_off",
            by_nginx="set $tinykit_row none; location / { proxy_pass http://127.0.0.1:3000; }",
        ),
        only="nginx",
    ),
    mutation(
        "old protocols",
        "https.protocols",
        only_nginx(
            r"ssl_protocols TLSv1.2 TLSv1.3;\s+ssl_ciphers ([^;]*);",
            "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\n\tssl_ciphers ALL:@SECLEVEL=0;",
        ),
        only="nginx",
    ),
    mutation(
        "visitors choose their address",
        "proxy.forwarded-for",
        without(
            r"header_up X-Forwarded-For \{client_ip\}",
            r"proxy_set_header X-Forwarded-For \$remote_addr;",
            by_caddy="header_up X-Forwarded-For {header.X-Forwarded-For}",
            by_nginx="proxy_set_header X-Forwarded-For $http_x_forwarded_for;",
        ),
    ),
    mutation(
        "no access log",
        "monitoring.access-log",
        without(
            rf"output file {layout.CADDY_LOGS}/access.log",
            rf"access_log {layout.NGINX_LOGS}/access.log tinykit;",
            by_caddy=f"output file {layout.CADDY_LOGS}/other.log",
            by_nginx="access_log off;",
        ),
    ),
    mutation(
        "no rotation",
        "monitoring.log-rotation",
        only_caddy("roll_keep 10\n", "roll_disabled\n"),
        only="caddy",
    ),
)
