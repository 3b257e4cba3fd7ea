"""Each app's README lists what the app has, and nothing it has not."""

import importlib
import re
from typing import Any

import pytest
from celery import current_app
from prometheus_client.metrics import MetricWrapperBase

from project.core import metrics
from project.core.errors import AppError
from tests.architecture.places import DOCUMENTED, ROOT, App

SUFFIXES = {"counter": "_total", "info": "_info"}
every_app = pytest.mark.parametrize("app", DOCUMENTED, ids=lambda app: app.path)


def listed(app: App, heading: str) -> list[str]:
    """Return the first column of the table under ``heading``, sorted."""
    text = (app.folder / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return sorted(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def families() -> set[type[AppError]]:
    """Return all expected errors, whatever they derive from."""
    found, more = set(), {AppError}
    while more:
        found |= more
        more = {child for family in more for child in family.__subclasses__()} - found
    return found


def import_all(app: App) -> None:
    """Import all modules of an app, so that what they define is there."""
    current_app.loader.import_default_modules()
    for path in app.folder.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts:
            importlib.import_module(".".join(parts).removesuffix(".__init__"))


@every_app
def test_readme_lists_the_verbs(app):
    assert listed(app, "Verbs") == sorted(app.verbs)


@every_app
def test_readme_lists_the_tasks(app):
    current_app.loader.import_default_modules()
    tasks = [name for name, task in current_app.tasks.items() if app.owns(task.__module__)]

    assert listed(app, "Tasks") == sorted(tasks)


@every_app
def test_readme_lists_the_error_codes(app):
    import_all(app)
    codes = {error.code for error in families() if app.owns(error.__module__)}

    assert listed(app, "Error codes") == sorted(codes)


def exposed(metric: Any) -> str:
    """Return the name under which Prometheus knows a metric."""
    name = str(metric.name).removesuffix("_total")
    return name + SUFFIXES.get(metric.type, "")


@every_app
@pytest.mark.django_db
def test_readme_lists_the_metrics(app):
    import_all(app)
    names = {
        exposed(metric)
        for source in metrics._sources
        if app.owns(source.__module__)
        for metric in source()
    }
    names |= {exposed(metric) for metric in counted(app)}
    if app.package == "project.core":
        names.add("database_up")  # told by the collector itself

    assert listed(app, "Metrics") == sorted(names)


def counted(app: App) -> list[Any]:
    """Return the metrics that processes count by themselves, defined by an app."""
    found = []
    for path in app.folder.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" in parts:
            continue
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
        own = [value for value in vars(module).values() if isinstance(value, MetricWrapperBase)]
        found += [metric for value in own for metric in value.describe()]
    return found


def test_links_between_documents_lead_somewhere():
    broken = []
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            is_here = "://" in target or (path.parent / target).exists()
            broken += [] if is_here else [f"{path.name}: {target}"]

    assert broken == []
