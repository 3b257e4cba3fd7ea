"""Raw fields of the console are shown as people read them, on every page."""

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone

from project.core import showing
from project.core.models import FigureSample, Run, TaskTotals
from project.core.templatetags.millrace import headed
from tests.factories import make_staff
from tests.project.admin.test_every_page import seen


def field(name, kind=models.FloatField, **options):
    found = kind(**options)
    found.name = found.attname = name
    return found


@pytest.mark.parametrize(
    ("shown", "value", "words"),
    [
        (field("score"), 0.7312093481, "0.731209"),
        (field("score"), 97123.450000001, "97,123.45"),
        (field("took_s"), 61.234567, "1 min 1 s"),
        (field("took_s"), 0.4567, "0.5 s"),
        (field("every_s", models.IntegerField), 5, "5 s"),
        (field("latency_ms"), 81.23456789, "81 ms"),
        (field("size_bytes", models.BigIntegerField), 1_536_000, "1.5 MB"),
        (field("progress"), 33.33333, "33.3 %"),
        (field("facts", models.JSONField), ["a", 0.123456789], "a, 0.123457"),
        (field("facts", models.JSONField), {"n": 1, "of": None}, "n 1, of null"),
    ],
)
def test_values_are_shown_in_the_unit_that_their_name_tells(shown, value, words):
    show = showing.shower(shown, in_full=False)

    assert show is not None
    assert show(value) == words


def test_milliseconds_since_1970_are_a_moment():
    show = showing.shower(field("start_ms", models.BigIntegerField), in_full=True)

    assert show is not None
    assert seen(show(1_700_000_000_000)).startswith("2023-11-14 22:13:20 UTC (")


@pytest.mark.parametrize(
    "plain",
    [
        field("attempts", models.IntegerField),
        field("name", models.CharField),
        field("state_s", models.IntegerField, choices=[(1, "One")]),
    ],
)
def test_other_fields_are_left_to_django(plain):
    assert showing.shower(plain, in_full=True) is None


def test_every_registered_page_shows_so_and_once():
    pages = admin.site._registry.values()

    assert [page for page in pages if not isinstance(page, showing.Showing)] == []
    assert showing.with_showing(type(admin.site._registry[Run])) is type(admin.site._registry[Run])


@pytest.mark.django_db
def test_lists_keep_their_order_and_the_link_to_the_row(client):
    now = timezone.now()
    for number, name in enumerate(("one", "two")):
        FigureSample.objects.create(name=name, at=now, amount=2 / 3 + number)
    client.force_login(make_staff())

    page = reverse("admin:core_figuresample_changelist")
    columns = client.get(page).context["cl"].list_display
    amount = next(n for n, each in enumerate(columns) if getattr(each, "shows", "") == "amount")
    answer = client.get(page, {"o": f"-{amount}"})

    rows = [row.name for row in answer.context["cl"].result_list]
    text = answer.content.decode()
    assert rows == ["two", "one"]
    assert ("1.6666667" in seen(text), "0.666667" in seen(text)) == (True, True)
    assert f'href="/admin/core/figuresample/{FigureSample.objects.earliest("pk").pk}/' in text


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("lease 3 of tests", "Lease 3 of tests"),
        ("mr_1f2e3d…", "mr_1f2e3d…"),
        ("binance:BTC/USDT", "binance:BTC/USDT"),
        ("http://198.51.100.7:80", "http://198.51.100.7:80"),
        ("markets.collect binance", "markets.collect binance"),
        ("", ""),
    ],
)
def test_titles_that_are_names_keep_their_letters(title, shown):
    assert headed(title) == shown


def test_labels_leave_the_unit_to_the_value():
    labels = [
        showing._label(FigureSample._meta.get_field("amount")),
        showing._label(TaskTotals._meta.get_field("last_duration_s")),
    ]

    assert labels == ["amount", "last duration"]
