"""What the audit trail tells of a form: labels, names instead of numbers, and no secret."""

from datetime import UTC, datetime

import pytest
from django import forms
from django_celery_beat.models import IntervalSchedule

from accounts.models import SecondFactor, Webhook
from project.core import comparing, scrubbing
from project.core.auditing import Change
from tests.factories import make_second_factor, make_user


class WheelForm(forms.Form):
    """A form with what forms have."""

    name = forms.CharField(label="Name")
    speed = forms.ChoiceField(
        label="Speed", choices=[("1", "Slow"), ("Fast ones", [("2", "Fast")])]
    )
    code = forms.CharField(label="Code", required=False, widget=forms.PasswordInput)
    api_key = forms.CharField(label="Key", required=False)
    address = forms.CharField(label="Address", required=False)
    facts = forms.JSONField(label="Facts", required=False)
    every = forms.ModelChoiceField(IntervalSchedule.objects.all(), label="Every", required=False)
    schedules = forms.ModelMultipleChoiceField(
        IntervalSchedule.objects.all(), label="All", required=False
    )


def changes(before: dict, after: dict) -> list[Change]:
    form = WheelForm(
        {"name": "x", "speed": "1", **after}, initial={"name": "x", "speed": "1", **before}
    )
    assert form.is_valid(), form.errors
    return comparing.changes_of(form)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"name": "a"}, {"name": "b"}, Change("Name", "a", "b")),
        ({"speed": "1"}, {"speed": "2"}, Change("Speed", "Slow", "Fast")),
        ({"code": "old"}, {"code": "new"}, Change("Code", scrubbing.HIDDEN, scrubbing.HIDDEN)),
        ({}, {"api_key": "new"}, Change("Key", "", scrubbing.HIDDEN)),
        ({}, {"address": "http://u:p@h/"}, Change("Address", "", f"http://{scrubbing.HIDDEN}@h/")),
        (
            {"facts": {"a": 1}},
            {"facts": '{"token": "t", "a": 2}'},
            Change("Facts", '{"a": 1}', f'{{"a": 2, "token": "{scrubbing.HIDDEN}"}}'),
        ),
        ({"name": "a" * 900}, {"name": "b"}, Change("Name", "a" * 500, "b")),
    ],
)
def test_changes_of_a_form(before, after, change):
    assert changes(before, after) == [change]


@pytest.mark.django_db
def test_rows_are_told_by_name():
    one = IntervalSchedule.objects.create(every=5, period="minutes")
    two = IntervalSchedule.objects.create(every=7, period="days")

    found = changes(
        {"every": one.pk, "schedules": [one]}, {"every": two.pk, "schedules": [one.pk, two.pk]}
    )

    assert found == [
        Change("Every", "every 5 minutes", "every 7 days"),
        Change("All", "every 5 minutes", "every 5 minutes, every 7 days"),
    ]


@pytest.mark.django_db
def test_values_of_a_row_hold_no_secret():
    row = make_second_factor(user=make_user(email="ada@example.org"))

    found = {change.name: change.before for change in comparing.values_of(row)}

    assert scrubbing.HIDDEN in found.values()
    secrets = [value for value in vars(row).values() if isinstance(value, str) and len(value) > 15]
    assert secrets
    assert not [value for value in secrets if value in found.values()]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (datetime(2026, 1, 5, 12, tzinfo=UTC), "2026-01-05 12:00:00+00:00"),
        ([1, 2], "[1, 2]"),
        ({"b", "a"}, "a, b"),
        (3.5, "3.5"),
    ],
)
def test_words(value, shown):
    assert comparing.words(value) == shown


def test_encrypted_fields_are_secrets():
    assert comparing._is_secret("secret", Webhook)
    assert SecondFactor._meta.label_lower == "accounts.secondfactor"
