from types import SimpleNamespace
from typing import Any

import pytest

from project.core import touring
from project.core.touring import Step


def step(name: str) -> Step:
    return Step(name, "App", name.title(), "", lambda: f"/{name}/", lambda: "")


@pytest.fixture(autouse=True)
def _two_steps(monkeypatch: Any) -> None:
    monkeypatch.setattr(touring, "_steps", {})
    touring.register(step("one"))
    touring.register(step("two"))


def test_steps_are_ticked_off_in_the_session():
    request: Any = SimpleNamespace(session={"tour": ["gone"]})

    touring.tick(request, step("two"))
    touring.tick(request, step("two"))

    assert touring.seen(request) == {"two"}
    assert request.session == {"tour": ["two"]}


def test_steps_keep_their_order():
    assert [each.name for each in touring.steps()] == ["one", "two"]
    assert touring.find("two") == touring.steps()[1]
    assert touring.find("three") is None


@pytest.mark.parametrize("is_there", [True, False])
def test_it_is_offered_where_the_sandbox_is(settings, tmp_path, is_there):
    settings.DATA_DIR = tmp_path
    if is_there:
        (tmp_path / "sandbox.json").write_text("{}")

    assert touring.is_offered() is is_there
