"""Dashboards and provisioning fit Grafana's own models: nothing is lost, each value is one it knows."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard, prometheus, stat, timeseries, units

from tests.deploy import tools

FOLDER: Final = tools.DEPLOY / "grafana"
FILES: Final = sorted((FOLDER / "dashboards").glob("*.json"))
OPTIONS: Final = {"stat": stat.Options, "timeseries": timeseries.Options}
every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def through(model: Any, given: dict[str, Any]) -> Any:
    """Return what is left of ``given`` after Grafana's model has read and written it."""
    return json.loads(json.dumps(model.from_json(given), cls=JSONEncoder))


def lost(given: Any, kept: Any, at: str = "") -> list[str]:
    """Return where ``given`` has what ``kept`` has not, or has otherwise."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [
            fault
            for name, one in given.items()
            for fault in lost(one, kept.get(name), f"{at}.{name}")
        ]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = enumerate(zip(given, kept, strict=True))
        return [fault for n, (one, other) in pairs for fault in lost(one, other, f"{at}[{n}]")]
    return [] if given == kept else [f"{at}: {given!r} became {kept!r}"]


@every_file
def test_dashboard_passes_through_grafanas_models_whole(file: Path):
    given = read(file)

    assert lost(given, through(dashboard.Dashboard, given)) == []
    assert given["panels"]
    for panel in given["panels"]:
        kept = through(OPTIONS[panel["type"]], panel["options"])
        assert lost(panel["options"], kept, panel["title"]) == []
        for target in panel["targets"]:
            assert lost(target, through(prometheus.Dataquery, target), panel["title"]) == []
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        assert lost(custom, through(timeseries.FieldConfig, custom), panel["title"]) == []


def test_what_grafanas_models_do_not_know_is_found():
    given = read(FILES[0])
    given["panels"][0]["tiltle"] = "misspelt"

    assert lost(given, through(dashboard.Dashboard, given)) == [
        ".panels[0].tiltle: 'misspelt' became None"
    ]


def test_units_are_grafanas():
    known = {value for value in vars(units).values() if isinstance(value, str)}

    used = {
        panel["fieldConfig"]["defaults"]["unit"] for file in FILES for panel in read(file)["panels"]
    }
    assert used - known == set()
    assert {"s", "bytes", "percentunit"} <= used


@every_file
def test_panels_lie_beside_each_other(file: Path):
    taken = set()
    for panel in read(file)["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, panel["title"]
                taken.add((x, y))


def test_ids_and_titles_are_each_of_one_panel():
    for file in FILES:
        panels = read(file)["panels"]
        for name in ("id", "title"):
            assert len({panel[name] for panel in panels}) == len(panels), file.stem
    assert len({read(file)["uid"] for file in FILES}) == len(FILES)


@every_file
def test_variables_that_queries_name_are_there(file: Path):
    given = read(file)
    names = {one["name"] for one in given["templating"]["list"]}

    queries = " ".join(target["expr"] for panel in given["panels"] for target in panel["targets"])
    assert {name for name in ("source", "exchange", "instance") if f"${name}" in queries} == names


def test_provisioning_names_what_is_there():
    [source] = yaml.safe_load(
        (FOLDER / "provisioning" / "datasources" / "prometheus.yml").read_text(encoding="utf-8")
    )["datasources"]
    [provider] = yaml.safe_load(
        (FOLDER / "provisioning" / "dashboards" / "millrace.yml").read_text(encoding="utf-8")
    )["providers"]
    compose = yaml.safe_load((tools.DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    mounts = dict(
        mount.removesuffix(":ro").split(":") for mount in compose["services"]["grafana"]["volumes"]
    )
    used = {panel["datasource"]["uid"] for file in FILES for panel in read(file)["panels"]}

    assert used == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose["services"]
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    every = yaml.safe_load(
        (tools.DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    )["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == every
