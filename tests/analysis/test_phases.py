from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analysis import phases


def mention(raw: str, start_ms: int, **fields: Any) -> dict[str, Any]:
    usual = {"description": "", "tags": [], "country": "", "quote": "", "end_ms": start_ms + 1}
    return {"raw": raw, "start_ms": start_ms, **usual, **fields}


def test_a_name_is_told_once_at_its_first_time_with_all_that_is_known_of_it():
    found = phases.unique(
        [
            mention("Jiufen", 9_000, description="a village above the sea", tags=["b", "a"]),
            mention(" jiufen ", 2_000, description="old", tags=["a"]),
            mention("Taipei", 5_000),
            mention("JIUFEN", 20_000, country="TW"),
        ]
    )

    assert [(one["raw"], one["start_ms"]) for one in found] == [
        (" jiufen ", 2_000),
        ("Taipei", 5_000),
    ]
    assert found[0]["description"] == "a village above the sea"
    assert (found[0]["tags"], found[0]["country"]) == (["a", "b"], "TW")


def test_a_name_of_nothing_is_none():
    assert phases.unique([mention("  ", 1), mention("", 2)]) == []


@given(st.lists(st.tuples(st.sampled_from("abcABC "), st.integers(0, 99))))
def test_names_are_unique_and_in_order(spoken):
    found = phases.unique([mention(raw, at) for raw, at in spoken])

    starts = [one["start_ms"] for one in found]
    names = [one["raw"].casefold() for one in found]
    assert starts == sorted(starts)
    assert len(names) == len(set(names))
    assert set(names) == {raw.casefold() for raw, _ in spoken} - {" "}
