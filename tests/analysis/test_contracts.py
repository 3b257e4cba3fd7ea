"""What the phases hand to each other can be kept, compared and handed on."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from analysis import contracts
from analysis.contracts import Extraction, Located, Mention, Segment, Unlocated
from tests.architecture.places import ROOT, imports

MENTION = Mention("Jiufen", 1000, 2000, "we went to Jiufen", tags=("town",))


@pytest.mark.parametrize(
    "value",
    [
        Segment(0, 10, "hello"),
        MENTION,
        Extraction((MENTION,), tokens_in=3),
        Located(MENTION, "Jiufen", 121.84, 25.11, "town", "town"),
        Unlocated(MENTION, "not_found", retryable=False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_the_same_after_a_journey_and_never_change(value):
    back = pickle.loads(pickle.dumps(value))

    assert back == value
    with pytest.raises(FrozenInstanceError):
        setattr(value, type(value).__slots__[0], None)


def test_phases_meet_without_models_or_input_and_output():
    assert imports(ROOT / "analysis" / "contracts.py") == {
        "collections.abc",
        "dataclasses",
        "typing",
    }
    assert contracts.StrategyInputs(model="m").geocode_mode == "offline"
