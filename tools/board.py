"""What operators load: a board for Grafana and alert rules for Prometheus, of the same metrics."""

import json
from typing import Any

import yaml

from tools.contract import Json

ORIGIN = "Generated from contracts/v1alpha/metrics.yaml by `make generate`."
COLUMNS, WIDTH, HEIGHT = 2, 12, 8
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA_VERSION = 39  # Grafana 11's; later ones bring it up to date when they import it


def deployed(metrics: list[Json]) -> dict[str, str]:
    """The files of `deploy/` that are made of the metrics."""
    board = json.dumps(dashboard(metrics), indent=1, ensure_ascii=False) + "\n"
    rules = yaml.safe_dump(alert_rules(metrics), sort_keys=False, width=1000, allow_unicode=True)
    head = f"# {ORIGIN} Do not edit: change the contract.\n"
    return {"deploy/grafana.json": board, "deploy/alerts.yaml": head + rules}


def alert_rules(metrics: list[Json]) -> Json:
    rules = [
        {
            "alert": alert["name"],
            "expr": alert["expr"],
            "for": alert["for"],
            "labels": {"severity": alert["severity"]},
            "annotations": {"summary": alert["summary"], "description": alert["description"]},
        }
        for metric in metrics
        for alert in metric.get("alerts", [])
    ]
    return {"groups": [{"name": "botcore", "rules": rules}]}


def dashboard(metrics: list[Json]) -> Json:
    shown = [metric for metric in metrics if "panel" in metric]
    return {
        "title": "botcore",
        "uid": "botcore",
        "description": ORIGIN,
        "tags": ["botcore"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "templating": {"list": [_datasource_variable()]},
        "panels": [_panel(number, metric) for number, metric in enumerate(shown)],
    }


def _datasource_variable() -> Json:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "current": {},
        "options": [],
    }


def _panel(number: int, metric: Json) -> Json:
    panel: Any = metric["panel"]
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel["title"],
        "description": metric["help"],
        "datasource": DATASOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": query["expr"],
                "legendFormat": query["legend"],
                "range": True,
            }
            for index, query in enumerate(panel["queries"])
        ],
    }
