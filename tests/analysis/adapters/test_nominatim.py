"""One request to a real server that is well, hasty or away."""

import pytest

from analysis.adapters.nominatim import Candidate, Server, TooHastyError, search
from analysis.failures import Deterministic, Transient
from project import sandbox
from project.sandbox import Fault, FaultKind


@pytest.fixture(scope="module")
def _world():
    with sandbox.running() as world:
        yield world


@pytest.fixture
def geocoder(_world):
    _world.nominatim.faults.clear()
    _world.nominatim.log.clear()
    return _world.nominatim


def server(geocoder, timeout_s=10.0):
    return Server(geocoder.url, "Millrace/tests (https://example.org)", timeout_s)


def test_candidates(geocoder):
    assert search(server(geocoder), "九份", language="en") == [
        Candidate("Jiufen", 121.8443, 25.1092, "place/village", "TW", 0.6)
    ]
    assert search(server(geocoder), "Jiufen", country="CH") == []
    assert geocoder.agents() == {"Millrace/tests (https://example.org)": 2}


@pytest.mark.parametrize(
    ("fault", "kind", "retry_after"),
    [
        (Fault(FaultKind.STATUS, status=429, retry_after_s=9), TooHastyError, 9),
        (Fault(FaultKind.STATUS, status=503), Transient, None),
        (Fault(FaultKind.DISCONNECT), Transient, None),
        (Fault(FaultKind.HTML200), Transient, None),
        (Fault(FaultKind.HANG), Transient, None),
    ],
)
def test_failures_that_may_pass_are_asked_once(geocoder, fault, kind, retry_after):
    geocoder.faults.add(fault)

    with pytest.raises(Transient) as raised:
        search(server(geocoder, timeout_s=1.0), "Bern")

    assert (type(raised.value), raised.value.retry_after) == (kind, retry_after)
    assert len(geocoder.log.entries()) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_failures_that_last(geocoder, status):
    geocoder.faults.add(Fault(FaultKind.STATUS, status=status))

    with pytest.raises(Deterministic) as raised:
        search(server(geocoder), "Bern")

    assert raised.value.code == "geocoder_refused"
