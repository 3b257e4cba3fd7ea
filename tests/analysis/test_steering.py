import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import steering


@pytest.mark.parametrize(
    ("message", "name", "values"),
    [
        ({"action": "cancel"}, "cancel", {}),
        ({"action": "retry_geocode"}, "retry_geocode", {}),
        ({"action": "retry_geocode", "raw": ["x"]}, "retry_geocode", {"raw": ["x"]}),
        ({"action": "subscribe", "since": 7}, "subscribe", {"since": 7}),
        ({"action": "set_strategy", "strategy": "m"}, "set_strategy", {"strategy": "m"}),
        ({"action": "set_strategy", "strategy": 3}, "set_strategy", {"strategy": 3}),
    ],
)
def test_messages_that_are_taken(message, name, values):
    assert steering.read(message) == steering.Action(name, values)


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "cancel",
        {},
        {"action": "explode"},
        {"action": ["cancel"]},
        {"action": "cancel", "job": 1},
        {"action": "subscribe", "since": "7"},
        {"action": "subscribe", "since": True},
        {"action": "retry_geocode", "raw": "x"},
    ],
)
def test_messages_that_are_not(message):
    with pytest.raises(steering.BadActionError):
        steering.read(message)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["action", "since", "raw"]), inner, max_size=3)
        ),
    )
)
def test_no_message_is_a_bug(message):
    with contextlib.suppress(steering.BadActionError):
        assert steering.read(message).name == message["action"]
