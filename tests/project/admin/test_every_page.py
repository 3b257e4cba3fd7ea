"""Every page of the console opens with rows in it, in few queries: lists, forms, histories, all.

No page shows numbers or moments as the database has them.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Coalesce
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from accounts import limiting
from project.core.admin import searching
from tests.architecture.test_admin import is_ours, maker_of
from tests.factories import make_job

MOST_QUERIES = 25
#: No page, but what one is renewed by: all apps are asked for issues and figures.
MORE = {"/admin/core/run/board/": 42}
ROWS = 3
#: Answered by something else than a page of their own: another page, or a refusal in words.
ELSEWHERE = {301, 302}
#: Written by workers, or asked by POST.
SHUT = {403, 404, 405}

#: More digits than anybody reads, and parts of a second in a moment.
RAW = re.compile(r"(?<![\w.])\d[\d,]*\.\d{9,}(?![\w.])|\d\d:\d\d:\d\d\.\d{3,}")


class Seen(HTMLParser):
    """The text that a page shows, without scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden = 0
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in {"script", "style", "textarea"}

    def handle_endtag(self, tag):
        self.hidden -= tag in {"script", "style", "textarea"}

    def handle_data(self, data):
        if not self.hidden:
            self.texts.append(data)


def seen(page: str) -> str:
    return " ".join(" ".join(Seen(page).texts).split())


def make_rows() -> dict[Any, Any]:
    """Make some rows of every model that has a maker; return one of each."""
    found = {}
    for model in admin.site._registry:
        maker = maker_of(model) if is_ours(model) else None
        if maker is not None:
            found[model] = [maker() for _ in range(ROWS)][-1]
    jobs = [make_job(every_s=60 + number) for number in range(ROWS)]
    return {**found, type(jobs[0]): jobs[0], type(jobs[0].interval): jobs[0].interval}


def addresses(rows: dict[Any, Any]) -> Iterator[str]:
    """Return every address of the console: those of no model, and each model's, with a row of it."""
    yield from (reverse(f"admin:{name}") for name in ("index", "tour", "password_change"))
    for model, page in admin.site._registry.items():
        for pattern in page.get_urls():
            if pattern.name is None:
                continue
            row = rows.get(model)
            takes = re.findall(r"<[^>]+>", str(pattern.pattern))
            if takes and row is None:
                continue
            args = [getattr(row, "pk", None)] if takes else []
            try:
                yield reverse(f"admin:{pattern.name}", args=args)
            except NoReverseMatch:
                continue  # it takes something else than a row


@pytest.fixture
def seeded(console: Client) -> dict[Any, Any]:
    rows = make_rows()
    for model in rows:
        make_raw(model)
    return rows


def make_raw(model: Any) -> None:
    """Let all numbers of a model have more digits than anybody reads, where its rules allow."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.FloatField):
            value = Coalesce(models.F(field.name), 0.0) + 0.12345678912
            with suppress(IntegrityError), transaction.atomic():
                model._base_manager.update(**{field.name: value})


@pytest.mark.django_db
def test_every_page_opens_in_few_queries(console, seeded):
    opened, wrong = [], {}

    for address in dict.fromkeys(addresses(seeded)):
        limiting.forget()
        with CaptureQueriesContext(connection) as asked:
            answer = console.get(address)
        if answer.status_code == 200:
            opened.append(address)
            is_page = "html" in answer.get("Content-Type", "") and not answer.streaming
            if is_page and (raw := RAW.findall(seen(answer.content.decode()))):
                wrong[address] = f"shows {raw[:3]}"
        elif answer.status_code not in ELSEWHERE | SHUT:
            wrong[address] = f"answers {answer.status_code}"
        if len(asked) > MORE.get(address, MOST_QUERIES):
            wrong[address] = f"{len(asked)} queries"

    assert wrong == {}
    assert RAW.findall("0.12345678912 at 07:15:04.123456") == ["0.12345678912", "07:15:04.123456"]
    assert len(opened) > 2 * len(admin.site._registry)
    assert {address.rstrip("/").rpartition("/")[2] for address in opened} >= {
        "add",
        "change",
        "history",
        "delete",
    }


@pytest.mark.django_db
def test_the_palette_asks_in_few_queries_and_finds_every_model(console, seeded, monkeypatch):
    monkeypatch.setattr(searching, "AT_MOST", 100)  # rows of a factory are much alike
    shut = []

    for model, row in seeded.items():
        page = admin.site.get_model_admin(model)
        term = term_for(page, row)
        limiting.forget()
        with CaptureQueriesContext(connection) as asked:
            answer = console.get(reverse("admin:search"), {"s": term, "extended": "1"})
        assert len(asked) <= MOST_QUERIES, (page, len(asked))
        address = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        if f'href="{reverse(address, args=[row.pk])}"' not in answer.content.decode():
            shut.append((model._meta.label, term))

    assert shut == []


def term_for(page: Any, row: Any) -> str:
    """Return what a person would type to find a row: the longest text that its search looks at."""
    lookups = [name.lstrip("^=@") for name in page.search_fields] or searching.texts_of(type(row))
    found = [str(value_at(row, lookup) or "") for lookup in lookups]
    return max(found, key=len, default="") or str(page.opts.verbose_name)


def value_at(row: Any, lookup: str) -> Any:
    for name in re.sub(r"__(i?exact|icontains|i?startswith)$", "", lookup).split("__"):
        row = getattr(row, name, None)
    return row
