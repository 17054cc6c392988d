"""The exporters that a Prometheus scrapes: packages of the distribution, and how they run."""

from __future__ import annotations

from dataclasses import dataclass

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.tree import Entry, File, Folder
from tinykit_ops.settings import Settings


@dataclass(frozen=True)
class Exporter:
    """One of them.

    Attributes:
        package: Debian's; its program has the same name.
        unit: of the package.
        what: that it tells about.
    """

    package: str
    unit: str
    what: str

    @property
    def drop_in(self) -> str:
        """The file that says how it runs here."""
        return f"/etc/systemd/system/{self.unit}.d/tinykit-ops.conf"


NODE = Exporter("prometheus-node-exporter", layout.NODE_EXPORTER_UNIT, "the host")
NGINX = Exporter("prometheus-nginx-exporter", layout.NGINX_EXPORTER_UNIT, "nginx")
ALL = (NODE, NGINX)


def exporters(settings: Settings) -> list[Exporter]:
    """Those that the settings want; Caddy needs none."""
    if not settings.metrics.enabled:
        return []
    return [NODE, NGINX] if settings.edge.kind == "nginx" else [NODE]


def exporter_files(settings: Settings) -> list[Entry]:
    """How each of them runs."""
    found: list[Entry] = []
    for one in exporters(settings):
        text = render(
            "systemd/exporter.conf.j2",
            unit=one.unit,
            command=_command(one, settings),
            scrapers=settings.metrics.scrapers,
        )
        found += [Folder(f"/etc/systemd/system/{one.unit}.d"), File(one.drop_in, text)]
    return found


def _command(one: Exporter, settings: Settings) -> str:
    metrics = settings.metrics
    port = metrics.node_port if one is NODE else metrics.edge_port
    # Two dashes are right for both generations of these programs, in Debian 12 and 13.
    words = [f"/usr/bin/{one.package}"]
    words += [f"--web.listen-address={'' if metrics.scrapers else '127.0.0.1'}:{port}"]
    if one is NODE:
        words += [f"--collector.textfile.directory={layout.METRICS_DIR}"]
    else:
        words += [f"--nginx.scrape-uri=http://127.0.0.1:{layout.NGINX_STATUS_PORT}/stub_status"]
    return " ".join(words)
