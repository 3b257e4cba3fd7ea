"""Decides which tests run on which servers, and that CI leaves none of them out.

`make test` runs the suite twice, on SQLite and on PostgreSQL with Redis; ``MILLRACE_ROUND`` says
that it does, and then a test that wants other servers is left to the other round. What asks
neither a database nor Redis of the round (marker ``once``) would show the same twice: it runs in
the round on SQLite alone.
"""

import os
from collections.abc import Generator

import pytest
from django.conf import settings

#: Markers of tests that need something a machine may lack; CI has it all.
NEEDED_IN_CI = ("postgres", "redis", "browser", "promtool")


def _present() -> dict[str, bool]:
    """Say for each server whether this round has it."""
    engine = settings.DATABASES["default"]["ENGINE"]
    return {"postgres": "postgresql" in engine, "redis": bool(settings.REDIS_URL)}


def _missing(item: pytest.Item, present: dict[str, bool]) -> list[str]:
    """Return the servers that ``item`` needs and this round lacks."""
    return [name for name, here in present.items() if item.get_closest_marker(name) and not here]


def _runs_once(item: pytest.Item) -> bool:
    """Say whether ``item`` is for one round alone.

    Raises:
        UsageError: it is marked so, and yet asks for a server of the round.
    """
    if item.get_closest_marker("once") is None:
        return False
    asked = [name for name in ("django_db", *_present()) if item.get_closest_marker(name)]
    if asked:
        raise pytest.UsageError(f"{item.nodeid} is marked once and {asked[0]}")
    return True


def _leave_out(config: pytest.Config, items: list[pytest.Item], left: list[pytest.Item]) -> None:
    gone = set(left)
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=left)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests that need absent servers to the other round, or skip them."""
    if os.environ.get("MILLRACE_ROUND") == "postgres":
        _leave_out(config, items, [item for item in items if _runs_once(item)])
    present = _present()
    absent = [item for item in items if _missing(item, present)]
    if not absent:
        return
    if os.environ.get("MILLRACE_ROUND") == "sqlite":
        _leave_out(config, items, absent)
        return
    for item in absent:
        needed = ", ".join(_missing(item, present))
        item.add_marker(pytest.mark.skip(reason=f"needs {needed}: see `make test`"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that CI must not have into a failure."""
    report = yield
    needed = [name for name in NEEDED_IN_CI if item.get_closest_marker(name)]
    is_plain_skip = report.skipped and not hasattr(report, "wasxfail")
    if is_plain_skip and needed and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, though CI must have {', '.join(needed)}: {report.longrepr}"
    return report
