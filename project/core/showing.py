"""How the console shows what only machines write: numbers, durations, sizes and moments as people read them.

The unit is known from the field's name, as everywhere in the product: ``took_s``, ``latency_ms``, ``size_bytes``, …
A page that shows a field its own way, by a method, is left alone; so is whatever can be edited.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from django.contrib.admin import ModelAdmin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    DateTimeField,
    DecimalField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    Model,
)
from django.http import HttpRequest

from project.core import display
from project.core.moments import from_ms

#: Milliseconds since 1970 are this many at least; durations are less.
_A_MOMENT_MS: Final = 100_000_000_000
#: How a field's name ends, and how its value is shown.
_UNITS: Final[tuple[tuple[tuple[str, ...], Callable[[float], str]], ...]] = (
    (("_s", "_seconds"), lambda value: display.duration(value).replace(".0 s", " s")),
    (("_ms",), display.milliseconds),
    (("_bytes",), display.size),
    (("percent", "progress"), lambda value: f"{display.number(round(value, 1))} %"),
)


class Showing:
    """Mixed into each page of a model when it is registered."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """Show raw fields of a list as people read them; those edited there stay fields."""
        found = super().get_list_display(request)  # type: ignore[misc]
        edited = set(getattr(self, "list_editable", ()))
        return [each if each in edited else self._shown(each, in_full=False) for each in found]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """Return the columns that lead to a row's page, as they are shown."""
        named = {getattr(each, "shows", each): each for each in list_display}
        found = super().get_list_display_links(request, list_display)  # type: ignore[misc]
        return None if found is None else [named.get(each, each) for each in found]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show raw fields of a page that can't be edited as people read them."""
        found = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None:
            return found
        may_edit = self.has_change_permission(request, obj)  # type: ignore[attr-defined]
        readonly = set(super().get_readonly_fields(request, obj))  # type: ignore[misc]

        def shown(each: Any) -> Any:
            if isinstance(each, list | tuple):
                return tuple(shown(one) for one in each)
            is_raw = not may_edit or each in readonly
            return self._shown(each, in_full=True) if is_raw else each

        return [
            (name, {**options, "fields": list(dict.fromkeys(shown(options["fields"])))})
            for name, options in found
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the names, and the columns that take their place."""
        found = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return [*found, *(self._shown(each, in_full=True) for each in found)] if obj else found

    def _shown(self, each: Any, *, in_full: bool) -> Any:
        """Return what shows a raw field; anything else as it is."""
        if not isinstance(each, str) or hasattr(self, each):
            return each
        try:
            field = self.opts.get_field(each)  # type: ignore[attr-defined]
        except FieldDoesNotExist:
            return each
        return _column(field, in_full=in_full) or each


def shower(field: Any, *, in_full: bool) -> Callable[[Any], Any] | None:
    """Return what shows a value of ``field``; None where Django's own way is good.

    Args:
        field: of a model.
        in_full: with the exact moment beside how long ago it is, as a row's own page shows it.
    """
    if getattr(field, "choices", None):
        return None
    if isinstance(field, DateTimeField):
        return display.moment_in_full if in_full else display.moment
    if isinstance(field, JSONField):
        return display.pretty if in_full else display.in_short
    if not isinstance(field, FloatField | DecimalField | IntegerField):
        return None
    for endings, show in _UNITS:
        if field.name.endswith(endings):
            return _moment_or(show, in_full=in_full) if "_ms" in endings else show
    return display.number if isinstance(field, FloatField | DecimalField) else None


def _moment_or(show: Callable[[float], str], *, in_full: bool) -> Callable[[float], str]:
    when = display.moment_in_full if in_full else display.moment
    return lambda value: when(from_ms(int(value))) if value >= _A_MOMENT_MS else show(value)


@cache
def _column(field: Field[Any, Any], *, in_full: bool) -> Callable[[Model], Any] | None:
    """Return what shows a field of a row: the same one always, since pages compare them."""
    show = shower(field, in_full=in_full)
    if show is None:
        return None

    def column(row: Model) -> Any:
        value = getattr(row, field.attname)
        return display.NOTHING if value is None else show(value)

    column.__name__ = field.name
    column.short_description = _label(field)  # type: ignore[attr-defined]
    column.admin_order_field = field.name  # type: ignore[attr-defined]
    column.shows = field.name  # type: ignore[attr-defined]
    return column


def _label(field: Field[Any, Any]) -> str:
    """Return a field's label; without the unit that its value is shown in."""
    label = str(field.verbose_name)
    for ending in (" s", " seconds", " ms", " bytes"):
        if label == field.name.replace("_", " ") and label.endswith(ending):
            return label.removesuffix(ending)
    return label


def with_showing(page: type[ModelAdmin[Any]]) -> type[ModelAdmin[Any]]:
    """Return a page that shows raw fields as people read them."""
    if issubclass(page, Showing):
        return page
    metaclass: Any = type(page)
    about = {"__module__": page.__module__, "__doc__": page.__doc__}
    found: type[ModelAdmin[Any]] = metaclass(page.__name__, (Showing, page), about)
    return found
