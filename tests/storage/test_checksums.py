"""Sums of tables."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.storage.checksums import Sum

pytestmark = pytest.mark.once

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()
)
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=20)


def sum_of(rows) -> str:
    found = Sum()
    found.add_rows(rows)
    return str(found)


@given(ROWS, st.randoms())
def test_sum_does_not_depend_on_the_order(rows, dice):
    shuffled = list(rows)
    dice.shuffle(shuffled)

    assert sum_of(rows) == sum_of(shuffled)


@given(ROWS, st.integers(0, 20))
def test_sum_does_not_depend_on_portions(rows, at):
    found = Sum()
    found.add_rows(rows[:at])
    found.add_rows(rows[at:])

    assert (str(found), found.count) == (sum_of(rows), len(rows))


@given(ROWS, st.tuples(VALUES, VALUES))
def test_sum_counts_a_repeated_row_twice(rows, row):
    assert len({sum_of(rows), sum_of([*rows, row]), sum_of([*rows, row, row])}) == 3


def test_sum_tells_types_and_columns_apart():
    rows = [(1, "2"), ("1", 2), (1.0, "2"), (True, "2"), (b"1", "2"), ("2", 1), (None, "2")]

    assert len({sum_of([row]) for row in rows}) == len(rows)


def test_sum_is_the_same_in_another_process():
    program = (
        "from project.storage.checksums import Sum; s = Sum(); "
        "s.add_rows([(1, 'ä', 2.5, None, b'x', True, 2**70)]); print(s)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == sum_of([(1, "".join(["ä"]), 2.5, None, b"x", True, 2**70)])


def test_sum_of_lines_does_not_depend_on_the_order():
    there, back = Sum(), Sum()
    there.add_lines([b"a", b"b", b"b"])
    back.add_lines([b"b", b"a", b"b"])

    assert str(there) == str(back)
