import pytest
from django.core.exceptions import ImproperlyConfigured

from project.settings import env  # noqa: TID251 -- what is tested here

GIVEN = "MILLRACE_TRIAL"


@pytest.fixture
def given(monkeypatch):
    """Set the variable; None takes it away."""
    monkeypatch.delenv("ENVIRONMENT", raising=False)

    def put(value: str | None) -> None:
        if value is None:
            monkeypatch.delenv(GIVEN, raising=False)
        else:
            monkeypatch.setenv(GIVEN, value)

    put(None)
    return put


def test_text_has_its_default_and_an_empty_value_counts_as_none(given):
    assert env.text(GIVEN, "a") == "a"
    given("")
    assert env.text(GIVEN, "a") == "a"
    given("b")
    assert env.text(GIVEN, "a") == "b"


def test_text_without_default_must_be_set_and_is_named(given):
    with pytest.raises(ImproperlyConfigured, match=f"{GIVEN} is not set"):
        env.text(GIVEN)


@pytest.mark.parametrize(("value", "found"), [("true", True), ("FALSE", False), (None, True)])
def test_flag(value, found, given):
    given(value)

    assert env.flag(GIVEN, default=True) is found


@pytest.mark.parametrize(("value", "found"), [("7", 7), ("7.0", 7), (None, 3)])
def test_whole(value, found, given):
    given(value)

    assert env.whole(GIVEN, 3, at_least=1) == found


def test_one_of(given):
    assert env.one_of(GIVEN, "open", choices=("open", "closed")) == "open"
    given("closed")
    assert env.one_of(GIVEN, "open", choices=("open", "closed")) == "closed"
    given("ajar")
    with pytest.raises(ImproperlyConfigured, match=f"{GIVEN}=ajar: write one of open, closed"):
        env.one_of(GIVEN, "open", choices=("open", "closed"))


def test_words(given):
    given(" a, ,b ,")

    assert env.words(GIVEN) == ["a", "b"]
    given(None)
    assert env.words(GIVEN) == []


def test_url(given):
    given("redis://h:1/0")

    assert env.url(GIVEN, "", schemes=("redis",)) == "redis://h:1/0"
    given(None)
    assert env.url(GIVEN, "", schemes=("redis",)) == ""


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("yes", lambda: env.flag(GIVEN, default=True)),
        ("1", lambda: env.flag(GIVEN, default=True)),
        ("x", lambda: env.number(GIVEN, 1)),
        ("nan", lambda: env.number(GIVEN, 1)),
        ("-1", lambda: env.number(GIVEN, 1)),
        ("0", lambda: env.whole(GIVEN, 1, at_least=1)),
        ("1.5", lambda: env.whole(GIVEN, 1)),
        ("inf", lambda: env.whole(GIVEN, 1)),
        ("http://h", lambda: env.url(GIVEN, "", schemes=("redis",))),
    ],
)
def test_wrong_value_stops_the_start_and_is_named(value, read, given):
    given(value)

    with pytest.raises(ImproperlyConfigured, match=GIVEN):
        read()


def test_scaled_must_be_set_in_production_alone(given, monkeypatch):
    assert env.scaled(GIVEN, "a") == "a"
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(ImproperlyConfigured, match=GIVEN):
        env.scaled(GIVEN, "a")
    given("b")
    assert env.scaled(GIVEN, "a") == "b"


def test_environment_is_one_of_two(monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "staging")

    with pytest.raises(ImproperlyConfigured, match="ENVIRONMENT=staging"):
        env.environment()


def test_made_is_made_once_it_is_needed_and_never_in_production(given, monkeypatch):
    assert env.made(GIVEN, lambda: "fresh") == "fresh"
    given("a")
    assert env.made(GIVEN, lambda: pytest.fail("made")) == "a"
    given(None)
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(ImproperlyConfigured, match=GIVEN):
        env.made(GIVEN, lambda: pytest.fail("made"))
