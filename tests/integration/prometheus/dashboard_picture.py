"""Draw the dashboard with the answers of a real Prometheus: scripts/dashboard-picture FILE.png.

It is no Grafana, which Debian does not have: it reads the JSON that Grafana would import, asks
Prometheus what each panel asks, and draws the answers as Grafana would roughly do.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dashboard_day import DAY, openmetrics
from live_prometheus import Prometheus, start
from ports import free_port

from tinykit_ops.monitoring.dashboard import dashboard

WIDTH, CELL, UNIT = 1500, 1500 / 24, 32
COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#b877d9", "#f2495c")
STYLE = """body{margin:0;background:#111217;color:#ccccdc;font:13px sans-serif}
.p{position:absolute;background:#181b1f;border:1px solid #2a2d33;box-sizing:border-box;padding:6px}
.r{position:absolute;padding:8px;font-weight:bold} .t{font-weight:bold;font-size:13px}
.v{font-size:24px;margin-top:6px;white-space:nowrap} .l{font-size:11px;color:#9fa0a8}
td{padding:1px 10px 1px 0;font-size:11px}"""


def main(target: Path) -> None:
    """Write the picture."""
    end = int(time.time()) // 3600 * 3600
    with tempfile.TemporaryDirectory(prefix="dashboard-") as own:
        folder = Path(own)
        (folder / "day.txt").write_text(openmetrics(end))
        words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "day.txt", "store"]
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
        (folder / "prometheus.yml").write_text("{}")
        port = free_port()
        process = start(
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=store",
                "--storage.tsdb.retention.time=3650d",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            folder,
            port,
        )
        try:
            page, height = _page(Prometheus(port), end)
        finally:
            process.terminate()
            process.wait()
        (folder / "page.html").write_text(page)
        _photograph(folder / "page.html", target, height)


def _photograph(page: Path, target: Path, height: int) -> None:
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    words += ["--disable-background-networking", f"--window-size={WIDTH},{height}"]
    words += [f"--screenshot={target}", f"file://{page}"]
    subprocess.run(words, check=True, capture_output=True, timeout=120)


def _page(server: Prometheus, end: int) -> tuple[str, int]:
    parts, bottom = [], 0.0
    for panel in json.loads(dashboard())["panels"]:
        place = panel["gridPos"]
        box = (place["x"] * CELL, place["y"] * UNIT, place["w"] * CELL - 6, place["h"] * UNIT - 6)
        bottom = max(bottom, box[1] + box[3] + 8)
        kind = "r" if panel["type"] == "row" else "p"
        style = "left:{:.0f}px;top:{:.0f}px;width:{:.0f}px;height:{:.0f}px".format(*box)
        inner = "" if kind == "r" else _inner(server, panel, end, box[2] - 14, box[3] - 14)
        title = html.escape(panel["title"])
        parts.append(f'<div class={kind} style="{style}"><div class=t>{title}</div>{inner}</div>')
    return f"<!doctype html><style>{STYLE}</style>{''.join(parts)}", int(bottom)


def _inner(server: Prometheus, panel: dict[str, Any], end: int, width: float, height: float) -> str:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    asked = [
        (one["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*"), one)
        for one in panel["targets"]
    ]
    if panel["type"] == "table":
        return _table(server.query(asked[0][0], end))
    if panel["type"] == "stat":
        return "".join(
            f'<div class=v style="color:{_step(panel, float(one["value"][1]))}">'
            f"{_told(float(one['value'][1]), unit)}"
            f" <span class=l>{_legend(target, one)}</span></div>"
            for query, target in asked
            for one in server.query(query, end)
        )
    lines = [
        (_legend(target, one), [(float(t), float(v)) for t, v in one["values"] if v != "NaN"])
        for query, target in asked
        for one in server.query_range(query, end - DAY, end, 300)
    ]
    return _chart(lines, end, unit, width, height - 36)


def _table(rows: list[dict[str, Any]]) -> str:
    text = "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(value)}</td>"
            for key, value in row["metric"].items()
            if key != "__name__"
        )
        + "</tr>"
        for row in rows
    )
    return f"<table>{text}</table>"


def _chart(
    lines: list[tuple[str, list[tuple[float, float]]]],
    end: int,
    unit: str,
    width: float,
    height: float,
) -> str:
    top = max((value for _, points in lines for _, value in points), default=1.0) * 1.1 or 1.0
    drawn, left = [], 52
    for number in range(4):
        y = height - height * number / 4
        text = _told(top * number / 4, unit)
        drawn.append(f'<line x1={left} x2={width} y1={y} y2={y} stroke="#2a2d33"/>')
        drawn.append(f'<text x=0 y={y} fill="#9fa0a8" font-size=10>{text}</text>')
    for number, (_, points) in enumerate(lines):
        path = " ".join(
            f"{left + (moment - end + DAY) / DAY * (width - left):.1f},"
            f"{height - value / top * height:.1f}"
            for moment, value in points
        )
        colour = COLOURS[number % len(COLOURS)]
        drawn.append(f'<polyline points="{path}" fill=none stroke="{colour}" stroke-width=1.5 />')
    legend = " ".join(
        f'<span class=l style="color:{COLOURS[number % len(COLOURS)]}">— {html.escape(name)}</span>'
        for number, (name, _) in enumerate(lines)
    )
    return f"<svg width={width} height={height + 4}>{''.join(drawn)}</svg><div>{legend}</div>"


def _legend(target: dict[str, Any], series: dict[str, Any]) -> str:
    return re.sub(
        r"{{(\w+)}}", lambda found: series["metric"].get(found[1], ""), target["legendFormat"]
    )


def _step(panel: dict[str, Any], value: float) -> str:
    names = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    fitting = [one for one in steps if one["value"] is None or value >= one["value"]]
    return names[fitting[-1]["color"]]


def _told(value: float, unit: str) -> str:
    if unit == "bool_yes_no":
        return "Yes" if value else "No"
    if unit == "percentunit":
        return f"{value:.1%}"
    if unit == "bytes":
        return f"{value / 1e6:.0f} MB"
    if unit == "s":
        for size, name in ((DAY, "d"), (3600, "h"), (1, "s")):
            if abs(value) >= size:
                return f"{value / size:.1f} {name}"
        return f"{value * 1000:.0f} ms"
    return f"{value:.3g}{' req/s' if unit == 'reqps' else ''}"


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
