"""In which order tables are filled."""

from hypothesis import given
from hypothesis import strategies as st

from project.storage.ordering import Unit, in_order

TABLES = st.sampled_from("abcdef")


def test_in_order_puts_first_what_others_refer_to():
    found = in_order(["a", "b", "c"], {"a": {"b"}, "b": {"c"}})

    assert found == [Unit((name,), is_whole=False) for name in "cba"]


def test_in_order_keeps_a_table_that_refers_to_itself_whole():
    assert in_order(["a"], {"a": {"a"}}) == [Unit(("a",), is_whole=True)]


def test_in_order_keeps_a_circle_together():
    found = in_order(["a", "b", "c", "d"], {"a": {"b", "d"}, "b": {"a"}, "c": {"a"}})

    assert found == [Unit(("d",), is_whole=False), Unit(("a", "b", "c"), is_whole=True)]


@given(st.dictionaries(TABLES, st.sets(TABLES)))
def test_in_order_has_every_table_once_and_after_what_it_needs(references):
    done: set[str] = set()
    seen: list[str] = []
    for unit in in_order("abcdef", references):
        together = {*unit.tables}
        for name in unit.tables:
            assert references.get(name, set()) <= done | together
            inside = bool(references.get(name, set()) & together)
            assert not inside or unit.is_whole
        done |= together
        seen += unit.tables
    assert sorted(seen) == list("abcdef")
