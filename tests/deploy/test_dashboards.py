"""Each panel's query reads, and names metrics that are exposed."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from django_prometheus.middleware import Metrics
from prometheus_client import REGISTRY

from tests.architecture.places import DOCUMENTED, App
from tests.architecture.test_docs import every_app, listed
from tests.deploy import tools

pytestmark = pytest.mark.once

FOLDER: Final = tools.DEPLOY / "grafana"
FILES: Final = sorted((FOLDER / "dashboards").glob("*.json"))
#: Exposed by others: Prometheus itself, and the node exporter.
FOREIGN: Final = {
    "up",
    "node_cpu_seconds_total",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
}
_NAME: Final = re.compile(r"[a-z_][a-zA-Z0-9_]*")


@cache
def exposed() -> frozenset[str]:
    """Return the names of all series: those that READMEs list (tests hold them to the code)..."""
    documented = {
        name
        for app in DOCUMENTED
        for heading in ("Metrics", "Pool gauges")
        for name in listed(app, heading)
    }
    Metrics.get_instance()  # ... and django-prometheus' own
    documented |= set(REGISTRY._names_to_collectors)
    return frozenset(documented | {f"{name}_bucket" for name in documented} | FOREIGN)


def queries() -> list[tuple[str, str, str]]:
    """Return each query with its dashboard and panel."""
    found = []
    for file in FILES:
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            found += [(file.stem, panel["title"], target["expr"]) for target in panel["targets"]]
    return found


def names_of(query: str) -> set[str]:
    """Return the metrics that a query names: words that are no label, function or keyword."""
    bare = re.sub(r"\{[^}]*\}", "", query)
    bare = re.sub(r"\b(by|without|on|unless|ignoring) *\([^)]*\)", "", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    calls = set(re.findall(r"([a-z_]+) *\(", bare))
    words = set(_NAME.findall(bare))
    return {word for word in words if "_" in word or word == "up"} - calls


def test_queries_name_metrics_that_exist() -> None:
    unknown = {
        f"{dashboard}, {panel}: {query}": sorted(names_of(query) - exposed())
        for dashboard, panel, query in queries()
        if not names_of(query) or names_of(query) - exposed()
    }

    assert len(queries()) > 60
    assert unknown == {}


@every_app
def test_every_metric_is_on_a_panel(app: App) -> None:
    shown = {name for _, _, query in queries() for name in names_of(query)}
    shown |= {re.sub("_(bucket|count|sum)$", "", name) for name in shown}

    assert set(listed(app, "Metrics")) - shown == set()


def test_alerts_name_metrics_that_exist() -> None:
    rules = (tools.DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    queries = re.findall(r"expr: (?:>-)?\s*((?:.|\n)+?)\n\s+(?:for|labels):", rules)

    assert len(queries) > 15
    assert {name for query in queries for name in names_of(query)} - exposed() == set()


@pytest.mark.promtool
def test_queries_read(tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [
        {"record": f"trial:{number}", "expr": query}
        for number, (_, _, query) in enumerate(queries())
    ]
    text = json.dumps({"groups": [{"name": "trial", "rules": rules}]})

    file = tmp_path / "queries.yml"
    file.write_text(text)

    told = tools.run([tools.promtool(), "check", "rules", str(file)])

    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(rules)} rules found" in told.stdout


def test_dashboards_are_those_that_the_panels_say(tmp_path: Path) -> None:
    code = f"import build, pathlib; build.OUT = pathlib.Path({str(tmp_path)!r}); build.main()"
    subprocess.run([sys.executable, "-c", code], cwd=FOLDER, check=True, timeout=60)

    made = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.glob("*.json")}
    assert made == {file.name: file.read_text(encoding="utf-8") for file in FILES}, (
        "run python deploy/grafana/build.py"
    )
