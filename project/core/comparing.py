"""What a form of the console changed, as the audit trail tells it: labels and values, no secrets."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from project.core import scrubbing
from project.core.auditing import LONGEST, Change
from project.core.encryption import EncryptedTextField


def changes_of(form: Any, formsets: Iterable[Any] = ()) -> list[Change]:
    """Return what a valid form and its formsets changed."""
    found = list(_of_form(form))
    for formset in formsets or ():
        deleted = getattr(formset, "deleted_forms", [])
        for each in formset.forms:
            if each.has_changed() and each not in deleted:
                found += _of_form(each, prefix=f"{each.instance}: ")
    return found


def values_of(row: Model) -> list[Change]:
    """Return what a row that is about to be deleted holds."""
    found = []
    for field in row._meta.concrete_fields:  # noqa: SLF001 -- Django's documented way to fields
        value = getattr(row, field.attname)
        if value in (None, "", [], {}) or field.primary_key:
            continue
        text = scrubbing.HIDDEN if _is_secret(field.name, type(row)) else words(value)
        found.append(Change(str(field.verbose_name).capitalize(), text, ""))
    return found


def words(value: Any) -> str:
    """Return a value as people read it; credentials in addresses are masked."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, dict | list) and _is_plain(value):
        plain = json.dumps(scrubbing.value(value), ensure_ascii=False, sort_keys=True)
        return plain[:LONGEST]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        value = ", ".join(sorted(str(each) for each in value))
    return scrubbing.text(str(value))[:LONGEST]


def _is_plain(value: Any) -> bool:
    """Say whether ``value`` is plain JSON: lists of rows are not."""
    if isinstance(value, dict):
        return True
    return not any(isinstance(each, Model) for each in value)


def _of_form(form: Any, prefix: str = "") -> Iterator[Change]:
    model = getattr(getattr(form, "_meta", None), "model", None)
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None:
            continue
        label = f"{prefix}{field.label or name}"
        before = form.get_initial_for_field(field, name)
        after = form.cleaned_data.get(name)
        if _is_secret(name, model) or getattr(field.widget, "input_type", "") == "password":
            yield Change(
                label, scrubbing.HIDDEN if before else "", scrubbing.HIDDEN if after else ""
            )
        else:
            yield Change(label, _shown(field, before), _shown(field, after))


def _is_secret(name: str, model: type[Model] | None) -> bool:
    if scrubbing.is_secret(name):
        return True
    try:
        found = model._meta.get_field(name) if model else None  # noqa: SLF001 -- as above
    except FieldDoesNotExist:
        return False
    return isinstance(found, EncryptedTextField)


def _shown(field: forms.Field, value: Any) -> str:
    """Return a form's value by the name that its field shows for it."""
    if isinstance(field, forms.ModelMultipleChoiceField):
        return words(value)
    if isinstance(field, forms.ModelChoiceField):
        return words(_row(field, value))
    choices = getattr(field, "choices", None)
    if choices is not None and not isinstance(value, list | tuple | set):
        names = dict(_flat(choices))
        return str(names.get(str(value), words(value)))
    return words(value)


def _row(field: Any, value: Any) -> Any:
    """Return the row that a form's initial value names; its number where the row is gone."""
    if value is None or isinstance(value, Model):
        return value
    key = field.to_field_name or "pk"
    return field.queryset.model._default_manager.filter(**{key: value}).first() or value  # noqa: SLF001 -- as above


def _flat(choices: Any) -> Iterator[tuple[str, str]]:
    for key, name in choices:
        if isinstance(name, list | tuple):
            yield from _flat(name)
        else:
            yield str(key), str(name)
