"""The watch and the exporters come where the settings want them, and go where they do not."""

from __future__ import annotations

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy.exporters import NGINX, NODE, exporter_files, exporters
from tinykit_ops.deploy.monitoring import watch_files
from tinykit_ops.edge.caddy import caddyfile
from tinykit_ops.edge.nginx import nginx_conf
from tinykit_ops.ops.tree import Absent, File

SCRAPERS = ["203.0.113.9", "2001:db8::9"]


@pytest.mark.parametrize("section", ["watch", "metrics"])
def test_cron_runs_the_watch_every_minute_when_it_or_its_metrics_are_wanted(
    make_settings, section
) -> None:
    (entry,) = watch_files(make_settings(**{section: {"enabled": True}}))
    assert isinstance(entry, File)
    assert entry.path == layout.WATCH_CRON_FILE
    job = entry.content.splitlines()[-1]
    assert job.startswith("* * * * * root ")
    assert job.endswith(f"{layout.AGENT_COMMAND} watch run")


def test_nothing_is_scheduled_or_exported_by_default(make_settings) -> None:
    settings = make_settings()
    gone = [Absent(layout.WATCH_CRON_FILE), Absent(layout.WATCH_METRICS)]
    assert watch_files(settings) == gone
    assert exporters(settings) == []
    assert "metrics" not in caddyfile(settings)
    assert "stub_status" not in nginx_conf(settings)


def texts(settings) -> dict[str, str]:
    return {one.path: one.content for one in exporter_files(settings) if isinstance(one, File)}


def test_exporters_listen_on_loopback_until_scrapers_are_named(make_settings) -> None:
    wanted = {"edge": {"kind": "nginx"}}
    local = texts(make_settings(metrics={"enabled": True}, **wanted))
    assert "--web.listen-address=127.0.0.1:9100" in local[NODE.drop_in]
    assert "--web.listen-address=127.0.0.1:9113" in local[NGINX.drop_in]
    assert "IPAddressAllow=localhost\n" in local[NODE.drop_in]
    open_ = texts(make_settings(metrics={"enabled": True, "scrapers": SCRAPERS}, **wanted))
    for text in open_.values():
        assert "--web.listen-address=:91" in text
        assert "IPAddressDeny=any" in text
        assert "IPAddressAllow=localhost 203.0.113.9/32 2001:db8::9/128\n" in text


def test_caddy_tells_its_own_numbers_to_scrapers_only(make_settings) -> None:
    assert [one.package for one in exporters(make_settings(metrics={"enabled": True}))] == [
        NODE.package
    ]
    local = caddyfile(make_settings(metrics={"enabled": True, "edge_port": 9999}))
    assert "http://:9999 {\n\tbind 127.0.0.1\n" in local
    text = caddyfile(make_settings(metrics={"enabled": True, "scrapers": SCRAPERS}))
    assert "remote_ip 127.0.0.0/8 ::1 203.0.113.9/32 2001:db8::9/128\n" in text
    assert "bind 127.0.0.1\n\t}" not in text


def test_nginx_counts_for_its_exporter_on_loopback(make_settings) -> None:
    text = nginx_conf(make_settings(edge={"kind": "nginx"}, metrics={"enabled": True}))
    assert f"listen 127.0.0.1:{layout.NGINX_STATUS_PORT};" in text
