"""Every task is named, bounded and of a kind, and every kind that is asked for exists."""

import ast
import re
from typing import Any

import pytest
from celery import current_app

from project.core import kinds
from tests.architecture.places import APPS, parsed, sources


def our_tasks() -> dict[str, Any]:
    """Return the tasks of our apps by name."""
    current_app.loader.import_default_modules()
    return {
        name: task
        for name, task in current_app.tasks.items()
        if any(app.owns(task.__module__) for app in APPS)
    }


def our_kinds() -> dict[str, kinds.Kind]:
    """Return the kinds of run that apps registered; tests have some of their own."""
    current_app.loader.import_default_modules()
    return {name: kind for name, kind in kinds.known().items() if not name.startswith("tests.")}


#: Names that the contract gives, whichever app does the work.
GIVEN = {"core.etl_sync"}


def labels_of(module: str) -> str:
    """Return the first part of the names of tasks in ``module``, as a pattern."""
    package = next(app.package for app in APPS if app.owns(module))
    own = package.rpartition(".")[2]
    return f"core|{own}" if package.startswith("project.") else own


def test_every_kind_has_its_task_and_every_task_its_kind():
    assert our_kinds()
    assert sorted(our_tasks()) == sorted(our_kinds())


def test_task_names_say_app_and_verb():
    wrong = [
        name
        for name, task in our_tasks().items()
        if name not in GIVEN and not re.fullmatch(rf"({labels_of(task.__module__)})\.[a-z_]+", name)
    ]
    assert wrong == []


def test_every_task_has_time_limits_above_those_of_its_kind():
    for name, task in our_tasks().items():
        assert task.soft_time_limit >= our_kinds()[name].limit_s, name
        assert task.time_limit > task.soft_time_limit, name


def test_every_kind_is_fit_for_people_and_workers():
    for kind in our_kinds().values():
        assert kind.label[0].isupper(), kind
        assert kind.limit_s > 0, kind
        assert kind.max_attempts >= 1, kind


def named_kinds() -> set[str]:
    """Return the kinds that the code asks for by a literal name."""
    found: set[str] = set()
    for path in sources():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                found |= literal_kinds(node)
    return found


def literal_kinds(call: ast.Call) -> set[str]:
    """Return the literal kind of an ``Ask(kind=…)``, ``enqueue(…)`` or ``seed(kind=…)``."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given: list[ast.expr] = []
    if name in {"Ask", "seed", "execute"}:
        given = [word.value for word in call.keywords if word.arg == "kind"]
    if name in {"enqueue", "send"}:
        given = call.args[:1]
    return {
        node.value
        for node in given
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_kind_that_is_asked_for_exists():
    assert sorted(named_kinds() - set(our_kinds())) == []


@pytest.mark.django_db
def test_every_seeded_job_is_of_a_kind():
    from django_celery_beat.models import PeriodicTask

    tasks = set(PeriodicTask.objects.values_list("task", flat=True))

    assert tasks <= set(our_kinds())
