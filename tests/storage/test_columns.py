"""How values of SQLite become values of PostgreSQL: against both databases, as they are."""

import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project.storage.adapters.target import Mark, Target
from project.storage.columns import Column, carrying, loaded_plainly, stored_plainly
from project.storage.errors import MoveFailedError
from tests.storage.making import at

pytestmark = pytest.mark.once

#: Type, what Django's SQLite stores, what PostgreSQL is to hold.
READ = "SELECT v FROM trial WHERE n = 1"
VALUES = [
    ("int8", 2**62, 2**62),
    ("int4", -5, -5),
    ("float8", 0.1 + 0.2, 0.1 + 0.2),
    ("float8", 3, 3.0),
    ("bool", 1, True),
    ("bool", 0, False),
    ("text", "ä\t\\\n€😀", "ä\t\\\n€😀"),
    ("varchar", "", ""),
    ("bytea", b"\x00\xff", b"\x00\xff"),
    ("timestamptz", "2026-11-22 02:00:00", datetime(2026, 11, 22, 2, tzinfo=UTC)),
    ("timestamptz", "1969-12-31 23:59:59.000001", datetime(1969, 12, 31, 23, 59, 59, 1, UTC)),
    ("timestamp", "2026-11-22 02:00:00.5", datetime(2026, 11, 22, 2, 0, 0, 500_000)),  # noqa: DTZ001
    ("date", "2026-11-22", date(2026, 11, 22)),
    ("time", "02:03:04.000005", time(2, 3, 4, 5)),
    ("interval", 90_000_001, timedelta(seconds=90, microseconds=1)),
    ("interval", -1, timedelta(microseconds=-1)),
    ("numeric", 1.1, Decimal("1.10000000")),
    ("numeric", 7, Decimal("7.00000000")),
    ("numeric", "12.5", Decimal("12.50000000")),
    ("uuid", "00000000000000000000000000000abc", uuid.UUID(int=0xABC)),
    ("jsonb", '{"b": [1, 2.50, 1e2], "a": null, "ü": "\\u00e4"}', None),
    ("json", '{"b":  1}', None),
    ("inet", "2001:db8::1", None),
    ("inet", "10.0.0.1", None),
]


@pytest.fixture(scope="module")
def target(server):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE columns_trial")
    with Target.open(at(server, "columns_trial")) as opened:
        opened.claim("x")
        yield opened
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE columns_trial")


def through(target: Target, kind: str, stored: object) -> tuple[list, list]:
    """Return a value's plain forms before and after it went through PostgreSQL."""
    declared = "numeric(20, 8)" if kind == "numeric" else kind
    connection = target._connection
    connection.execute("DROP TABLE IF EXISTS trial")
    connection.execute(f"CREATE TABLE trial (n int8, v {declared})")
    wanted = target.columns("trial")
    rows = [(1, stored), (2, None)]
    target.write("trial", wanted, carrying(wanted)(rows), Mark())
    [read] = target.read("trial", wanted, at_once=10)
    return list(stored_plainly(wanted)(rows)), list(loaded_plainly(wanted)(read))


@pytest.mark.parametrize(("kind", "stored", "expected"), VALUES)
def test_value_arrives_and_sums_the_same(target, kind, stored, expected):
    here, there = through(target, kind, stored)

    assert here == there
    assert [type(value) for value in here[0]] == [type(value) for value in there[0]]
    if expected is not None:
        row = target._connection.execute(READ, prepare=False).fetchone()
        assert row == (expected,)


def test_unknown_type_is_named():
    with pytest.raises(MoveFailedError, match="column shape: values of type polygon"):
        carrying([Column("shape", "polygon")])


def test_equal_documents_have_one_plain_form():
    plainly = stored_plainly([Column("v", "jsonb")])
    texts = ['{"a": 1, "b": 1e2}', '{"b":100,"a":1.0}', '{"a":1,"b":100.0}']

    assert len({plainly([(text,)])[0] for text in texts}) == 1


@settings(max_examples=60, deadline=None)
@given(st.decimals(min_value=-(10**6), max_value=10**6, places=8))
def test_decimal_is_what_django_reads(value):
    from django.db import models
    from django.db.backends.sqlite3.base import DatabaseWrapper
    from django.db.models.expressions import Col

    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (v decimal)")
        database.execute("INSERT INTO t VALUES (?)", [str(value)])
        stored = database.execute("SELECT v FROM t").fetchone()[0]
    field = models.DecimalField(max_digits=20, decimal_places=8)
    expression = Col("t", field)
    operations: Any = DatabaseWrapper.ops_class(None)  # type: ignore[arg-type]
    convert = operations.get_decimalfield_converter(expression)

    [(carried,)] = carrying([Column("v", "numeric", 8)])([(stored,)])

    assert carried == convert(stored, expression, None)


@settings(max_examples=100, deadline=None)
@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moment_is_the_same_on_both_sides(moment):
    stored = str(moment.replace(tzinfo=None))  # as Django writes it
    columns = [Column("v", "timestamptz")]

    [(carried,)] = carrying(columns)([(stored,)])

    assert carried == moment
    assert list(stored_plainly(columns)([(stored,)])) == list(loaded_plainly(columns)([(moment,)]))
