"""Writes the dashboards: ``python deploy/grafana/build.py``. What each shows stands in panels/.

Grafana reads the JSON files; they are made here, never edited, so that a change can be read.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from panels import DASHBOARDS
from panels.panel import Choice, Dashboard, Panel

OUT = Path(__file__).parent / "dashboards"
_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_OPTIONS: dict[str, dict[str, object]] = {
    "timeseries": {
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False},
        "colorMode": "value",
        "graphMode": "area",
    },
}
#: Leads from each dashboard to the others, and takes the time with it.
_LINK = {
    "title": "Millrace",
    "type": "dashboards",
    "icon": "external link",
    "tooltip": "",
    "tags": ["millrace"],
    "asDropdown": True,
    "targetBlank": False,
    "includeVars": False,
    "keepTime": True,
}


def panel_json(panel: Panel, *, number: int, x: int, y: int) -> dict[str, object]:
    """Return one panel as Grafana's JSON."""
    targets = [
        {
            "refId": chr(ord("A") + index),
            "expr": query,
            "legendFormat": legend,
            "datasource": _SOURCE,
        }
        for index, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number,
        "title": panel.title,
        "description": panel.says,
        "type": panel.kind,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": targets,
        "fieldConfig": {"defaults": defaults_json(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
    }


def defaults_json(panel: Panel) -> dict[str, object]:
    """Return how a panel draws its values."""
    found: dict[str, object] = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": panel.steps()},
    }
    if panel.least is not None:
        found["min"] = panel.least
    if panel.kind == "timeseries":
        line = "dashed" if len(panel.steps()) > 1 else "off"
        found["custom"] = {"thresholdsStyle": {"mode": line}, "showPoints": "never"}
    return found


def choice_json(choice: Choice) -> dict[str, object]:
    """Return a variable, all of whose values are chosen at first."""
    return {
        "name": choice.label,
        "label": choice.label.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({choice.metric}, {choice.label})",
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": "All", "value": "$__all"},
    }


def dashboard_json(dashboard: Dashboard) -> dict[str, object]:
    """Return a dashboard as Grafana's JSON, its panels laid out from left to right."""
    panels, x, y, row = [], 0, 0, 0
    for number, panel in enumerate(dashboard.panels, 1):
        if x + panel.width > _WIDTH:
            x, y, row = 0, y + row, 0
        panels.append(panel_json(panel, number=number, x=x, y=y))
        x, row = x + panel.width, max(row, panel.height)
    return {
        "uid": f"millrace-{dashboard.name}",
        "title": f"Millrace: {dashboard.title}",
        "tags": ["millrace"],
        "timezone": "utc",
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "graphTooltip": 1,
        "links": [_LINK],
        "templating": {"list": [choice_json(choice) for choice in dashboard.choices]},
        "panels": panels,
    }


def main() -> None:
    """Write all dashboards."""
    OUT.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        text = json.dumps(dashboard_json(dashboard), indent=1) + "\n"
        (OUT / f"{dashboard.name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
