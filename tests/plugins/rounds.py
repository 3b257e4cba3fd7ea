"""Decides which tests run on which servers, and that CI leaves none of them out.

`make test` runs the suite twice, on SQLite and on PostgreSQL with Redis; ``MILLRACE_ROUND`` says
that it does, and then a test that wants other servers is left to the other round. So is one that is
marked ``no_database``: it is slow and would say the same in both.
"""

import os
from collections.abc import Generator

import pytest
from django.conf import settings

#: Markers of tests that need something a machine may lack; CI has it all.
NEEDED_IN_CI = ("postgres", "redis", "browser", "promtool")
#: The marker of tests that the round on SQLite alone runs.
ELSEWHERE = "no_database"


def _present() -> dict[str, bool]:
    """Say for each server whether this round has it."""
    engine = settings.DATABASES["default"]["ENGINE"]
    return {"postgres": "postgresql" in engine, "redis": bool(settings.REDIS_URL)}


def _missing(item: pytest.Item, present: dict[str, bool]) -> list[str]:
    """Return the servers that ``item`` needs and this round lacks."""
    return [name for name, here in present.items() if item.get_closest_marker(name) and not here]


def _leave(config: pytest.Config, items: list[pytest.Item], left: list[pytest.Item]) -> None:
    """Take ``left`` out of what this round runs."""
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests that need absent servers to the other round, or skip them."""
    present = _present()
    absent = [item for item in items if _missing(item, present)]
    match os.environ.get("MILLRACE_ROUND"):
        case "sqlite":
            _leave(config, items, absent)
            return
        case "postgres":
            _leave(config, items, [item for item in items if item.get_closest_marker(ELSEWHERE)])
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
