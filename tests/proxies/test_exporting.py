import csv
import json
import logging

import pytest
from django.core.exceptions import PermissionDenied

from project.core.callers import SYSTEM, Caller
from proxies import exporting
from tests.proxies.factories import make_proxy

pytestmark = pytest.mark.django_db(transaction=True)


async def written(name, *, with_secrets=False):
    _, export = exporting.FORMATS[name]
    return b"".join([part async for part in export(with_secrets=with_secrets)]).decode()


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
