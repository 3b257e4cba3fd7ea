import csv
import json
import logging
import tracemalloc

import pytest
from django.core.exceptions import PermissionDenied

from project.core.callers import SYSTEM, Caller
from proxies import exporting
from proxies.exporting import Chosen
from proxies.finding import Filter
from proxies.models import Proxy
from tests.proxies.factories import NOW, make_proxy

pytestmark = pytest.mark.django_db(transaction=True)


async def written(name, *, with_secrets=False, **wanted):
    _, export = exporting.FORMATS[name]
    chosen = Chosen(Filter(**wanted), with_secrets, NOW)
    return b"".join([part async for part in export(chosen)]).decode()


@pytest.fixture
def pool(transactional_db, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 2)
    for number in range(5):
        make_proxy(host=f"8.8.8.{number + 1}", username="hans", password="ge@heim")
    make_proxy(state="blocked")


async def test_text_is_one_url_a_line(pool):
    assert (await written("txt")).splitlines() == [f"http://8.8.8.{n}:8080" for n in range(1, 6)]


async def test_json_is_one_array_whatever_the_pages(pool):
    found = json.loads(await written("json"))

    assert [row["host"] for row in found] == [f"8.8.8.{n}" for n in range(1, 6)]
    assert set(found[0]) == set(exporting.FIELDS)


async def test_csv_has_a_heading(pool):
    rows = list(csv.DictReader((await written("csv")).splitlines()))

    assert [row["host"] for row in rows] == [f"8.8.8.{n}" for n in range(1, 6)]


@pytest.mark.parametrize("name", exporting.FORMATS)
async def test_secrets_are_left_out_unless_asked_for(pool, name):
    without, within = await written(name), await written(name, with_secrets=True)

    assert "hans" not in without
    assert "heim" not in without
    assert "hans" in within
    assert "heim" in within


async def test_an_empty_pool_is_an_empty_list(transactional_db):
    assert await written("txt") == ""
    assert json.loads(await written("json")) == []
    assert len((await written("csv")).splitlines()) == 1


def test_csv_has_no_formulas():
    row = {**dict.fromkeys(exporting.FIELDS, None), "host": "=cmd()"}

    assert exporting._cells(row, exporting.FIELDS)[2] == "'=cmd()"


def test_secrets_are_for_staff_alone_and_taking_them_is_logged(caplog):
    caplog.set_level(logging.INFO, logger="proxies.exporting")

    assert exporting.may_have_secrets(SYSTEM, wants=True)
    assert "credentials of proxies exported" in caplog.text
    assert not exporting.may_have_secrets(Caller(user_id=1), wants=False)
    with pytest.raises(PermissionDenied):
        exporting.may_have_secrets(Caller(user_id=1), wants=True)


async def test_an_export_has_the_filters_of_the_list(pool):
    await Proxy.objects.filter(host__in=["8.8.8.2", "8.8.8.4"]).aupdate(country="DE", score=90)

    assert await written("txt", country="de", min_score=80) == (
        "http://8.8.8.2:8080\nhttp://8.8.8.4:8080\n"
    )
    assert len((await written("txt", state="blocked")).splitlines()) == 1


@pytest.mark.parametrize("name", exporting.FORMATS)
async def test_an_export_is_held_a_page_at_a_time(transactional_db, monkeypatch, name):
    """What is held doesn't grow with the pool: four times the proxies, the same peak."""

    async def peak_kb():
        _, export = exporting.FORMATS[name]
        size = 0
        tracemalloc.start()
        async for part in export(Chosen(now=NOW)):
            size += len(part)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size, peak / 1024

    monkeypatch.setattr(exporting, "PAGE", 250)
    await make_many(1_000)
    await peak_kb()  # fills caches
    small, first = await peak_kb()
    await make_many(3_000)

    large, second = await peak_kb()

    assert large > 3 * small
    assert second < 1.3 * first + 64


async def make_many(count):
    before = await Proxy.objects.acount()
    rows = [
        Proxy(
            scheme="http",
            host=f"8.{n >> 16}.{n >> 8 & 255}.{n & 255}",
            port=80,
            exclusive_key=f"endpoint:{n}",
        )
        for n in range(before, before + count)
    ]
    await Proxy.objects.abulk_create(rows, batch_size=500)
