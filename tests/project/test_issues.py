from typing import Any

from project.core import issues
from project.core.issues import AMBER, RED, Issue


def fail(now: Any) -> list[Issue]:
    raise ZeroDivisionError


def test_issues_come_worst_first(now, monkeypatch):
    one, two, three = Issue("b", AMBER, "b"), Issue("a", AMBER, "a"), Issue("z", RED, "z")
    monkeypatch.setattr(issues, "_sources", [lambda _: [one, two], lambda _: [three]])

    assert issues.current(now=now) == [three, two, one]


def test_source_of_issues_that_fails_is_an_issue_itself(now, monkeypatch, caplog):
    good = Issue("b", AMBER, "b")
    monkeypatch.setattr(issues, "_sources", [fail, lambda _: [good]])

    found = issues.current(now=now)

    assert [issue.code for issue in found] == ["b", "source_failing"]
    assert [record.message for record in caplog.records] == ["issues not told"]


def test_source_registers_once(monkeypatch):
    monkeypatch.setattr(issues, "_sources", [])

    def source(now: Any) -> list[Issue]:
        return []

    issues.register(source)
    issues.register(source)

    assert issues._sources == [source]
