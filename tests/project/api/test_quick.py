import uuid
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rest_framework import serializers

from project.core.api.quick import Reader, Writer
from project.core.api.serializers import Input


class Wish(Input):
    id = serializers.UUIDField()
    name = serializers.CharField(max_length=5, required=False, allow_blank=True)
    kind = serializers.ChoiceField(choices=["a", "b"], required=False)
    land = serializers.RegexField("^[A-Z]{2}$", required=False)
    share = serializers.FloatField(min_value=0, max_value=1, required=False)
    count = serializers.IntegerField(min_value=0, max_value=9, required=False, allow_null=True)


VALUES = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-3, 12),
    some.floats(allow_nan=False),
    some.text(max_size=7),
    some.sampled_from(["a", "b", "DE", "de", " a ", "7", "0.5", "\x00", "\ud800"]),
    some.uuids().map(str),
    some.lists(some.integers(), max_size=2),
)
BODIES = some.one_of(
    some.dictionaries(
        some.sampled_from(["id", "name", "kind", "land", "share", "count", "colour"]), VALUES
    ),
    VALUES,
)


def said(read: Any, body: Any) -> Any:
    """Return what came out, or what was wrong."""
    try:
        return dict(read(body))
    except serializers.ValidationError as error:
        return error.get_full_details()


@given(BODIES)
def test_reading_is_that_of_the_serializer(body):
    if isinstance(body, dict):
        body.setdefault("id", str(uuid.UUID(int=7)))

    assert said(Reader(Wish()).read, body) == said(Wish().run_validation, body)


def test_reading_says_all_that_is_wrong():
    with pytest.raises(serializers.ValidationError) as caught:
        Reader(Wish()).read({"count": 10, "kind": "c"})

    assert caught.value.get_codes() == {
        "id": ["required"],
        "kind": ["invalid_choice"],
        "count": ["max_value"],
    }


class Renamed(Input):
    name = serializers.CharField(source="title")


class WithDefault(Input):
    name = serializers.CharField(default="a")


class Checked(Input):
    name = serializers.CharField()

    def validate(self, attrs: Any) -> Any:
        return attrs


class CheckedByField(Input):
    name = serializers.CharField()

    def validate_name(self, value: str) -> str:
        return value.upper()


@pytest.mark.parametrize("kind", [Renamed, WithDefault, Checked, CheckedByField])
def test_a_serializer_that_does_more_than_its_fields_is_no_reader(kind):
    with pytest.raises(TypeError, match=kind.__name__):
        Reader(kind())


class Part(serializers.Serializer[Any]):
    key = serializers.IntegerField(source="part_id")


class Whole(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(default_timezone=UTC)
    part = Part(source="*")
    is_late = serializers.BooleanField()
    deep = serializers.IntegerField(source="inner.number")


class Own(serializers.Serializer[Any]):
    def to_representation(self, instance: Any) -> Any:
        return {}


@pytest.mark.parametrize("name", ["x", None])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))])
def test_writing_is_that_of_the_serializer(name, zone):
    one = SimpleNamespace(
        id=uuid.uuid4(),
        name=name,
        at=datetime(2026, 1, 5, 12, 0, 0, 5, tzinfo=zone),
        part_id=7,
        is_late=False,
        inner=SimpleNamespace(number=3),
    )

    assert Writer(Whole()).write(one) == Whole().to_representation(one)


def test_a_serializer_that_writes_by_itself_is_no_writer():
    with pytest.raises(TypeError, match="Own"):
        Writer(Own())
