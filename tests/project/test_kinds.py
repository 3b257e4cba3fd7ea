import pytest

from project.core import kinds
from project.core.kinds import Kind


def test_register_makes_a_kind_known_once():
    kind = Kind("tests.job", "Test job", limit_s=60, max_attempts=3, loop="test-loop")

    assert kinds.register(kind) == kinds.get("tests.job") == kinds.known()["tests.job"]


def test_register_of_another_kind_by_the_same_name_is_a_bug():
    with pytest.raises(ValueError, match=r"tests\.job is registered twice"):
        kinds.register(Kind("tests.job", "Another", limit_s=1))


def test_unknown_kind_is_a_bug():
    with pytest.raises(KeyError):
        kinds.get("tests.nothing")


def test_known_kinds_cannot_be_changed():
    with pytest.raises(TypeError):
        kinds.known()["tests.x"] = kinds.CLEAN_UP  # type: ignore[index]
