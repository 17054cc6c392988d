"""The panels as a Grafana dashboard: JSON of its schema 39, which Grafana 10 and later import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tinykit_ops.monitoring.panels import RELEASES, ROWS, Panel, Row
from tinykit_ops.monitoring.prometheus import JOB

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_HEIGHTS = {"stat": 4, "timeseries": 8, "table": 8}
_WIDTH = 24


def dashboard() -> str:
    """The dashboard's JSON, for `Dashboards → Import`."""
    document = {
        "title": "tinykit",
        "uid": "tinykit-ops",
        "tags": ["tinykit"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source_variable(), _instance_variable()]},
        "annotations": {"list": [_release_annotation()]},
        "panels": list(_placed(ROWS)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _placed(rows: tuple[Row, ...]) -> Iterator[dict[str, Any]]:
    """Rows below each other, panels beside each other as long as they fit."""
    y, number = 0, 0
    for row in rows:
        number += 1
        place = {"x": 0, "y": y, "w": _WIDTH, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "gridPos": place, "panels": []}
        x, y = 0, y + 1
        height = 0
        for panel in row.panels:
            if x + panel.width > _WIDTH:
                x, y = 0, y + height
            number, height = number + 1, _HEIGHTS[panel.kind]
            place = {"x": x, "y": y, "w": panel.width, "h": height}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            x += panel.width
        y += height


def _panel(panel: Panel) -> dict[str, Any]:
    table = panel.kind == "table"
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": legend,
                # What is true now; the rest has a history.
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
                "format": "table" if table else "time_series",
            }
            for number, (legend, query) in enumerate(panel.queries.items())
        ],
        "fieldConfig": {"defaults": {"unit": panel.unit, **_colours(panel)}, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if panel.kind == "stat" else {},
    }


def _colours(panel: Panel) -> dict[str, Any]:
    if not panel.steps:
        return {}
    steps = [
        {"color": colour, "value": None if number == 0 else value}
        for number, (colour, value) in enumerate(panel.steps.items())
    ]
    return {"thresholds": {"mode": "absolute", "steps": steps}}


def _source_variable() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _instance_variable() -> dict[str, Any]:
    query = f'label_values(up{{job="{JOB}"}}, instance)'
    return {
        "name": "instance",
        "label": "Host",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "hosts"},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _release_annotation() -> dict[str, Any]:
    return {
        "name": "Releases",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "blue",
        "expr": RELEASES,
        "titleFormat": "{{instance}}: another release serves",
    }
