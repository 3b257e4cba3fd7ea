"""Reading and writing what a serializer describes, for addresses where each microsecond counts.

The serializer's own fields do the work; what is left out is REST framework's way around them,
which costs more than a lease. Where a body is not in order the serializer says what is wrong.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import fields, serializers

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[Any], Any]

_UNUSUAL = (KeyError, ModelValidationError, serializers.ValidationError, fields.SkipField)


class Reader:
    """Reads bodies as ``serializer`` does.

    Raises:
        TypeError: the serializer does more than its fields do.
    """

    def __init__(self, serializer: serializers.Serializer[Any]) -> None:
        self._serializer = serializer
        self._fields = dict(serializer.fields)
        self._required = {name for name, field in self._fields.items() if field.required}
        kind = type(serializer)
        wrong = [name for name, field in self._fields.items() if _does_more(name, field, kind)]
        is_own = kind.validate is not serializers.Serializer.validate
        if wrong or is_own or serializer.validators:
            raise TypeError(f"{kind.__name__} must be asked itself: {wrong}")

    def read(self, body: Any) -> dict[str, Any]:
        """Return what a body says.

        Raises:
            ValidationError: as the serializer does, with all that is wrong.
        """
        if type(body) is dict and self._required <= body.keys():
            try:
                return {name: self._fields[name].run_validation(body[name]) for name in body}
            except _UNUSUAL:
                pass
        return dict(self._serializer.run_validation(body))


def _does_more(name: str, field: Any, kind: type) -> bool:
    has_other_name = field.source != name or field.read_only
    return has_other_name or field.default is not fields.empty or hasattr(kind, f"validate_{name}")


class Writer:
    """Writes what ``serializer`` does.

    Raises:
        TypeError: the serializer does more than its fields do.
    """

    def __init__(self, serializer: serializers.BaseSerializer[Any]) -> None:
        kind: Any = type(serializer)
        if kind.to_representation is not serializers.Serializer.to_representation:
            raise TypeError(f"{kind.__name__} must be asked itself")
        own: dict[str, Any] = getattr(serializer, "fields", {})
        self._steps = [(name, *_step(field)) for name, field in own.items()]

    def write(self, instance: Any) -> dict[str, Any]:
        """Return how ``instance`` is told."""
        found = {}
        for name, get, tell in self._steps:
            value = get(instance)
            found[name] = None if value is None else tell(value)
        return found


def _step(field: Any) -> tuple[Write, Write]:
    """Return what finds a field's value, and what writes it."""
    get = _itself if field.source == "*" else attrgetter(field.source)
    is_nested = isinstance(field, serializers.Serializer)
    return get, Writer(field).write if is_nested else field.to_representation


def _itself(instance: Any) -> Any:
    return instance
