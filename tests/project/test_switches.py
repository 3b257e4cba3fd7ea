import pytest

from project.core import kinds, switches
from project.core.switches import Switch


def test_every_switch_of_the_product_stops_kinds_that_there_are():
    known = switches.known()

    assert {"collecting", "proxy-checks", "analysis"} <= set(known)
    assert {kind for each in known.values() for kind in each.kinds} <= set(kinds.known())


def test_no_kind_has_two_switches(monkeypatch):
    monkeypatch.setattr(switches, "_switches", {})
    first = switches.register(Switch("a", "A", "", ("x.one",)))

    assert switches.register(first) == first
    with pytest.raises(ValueError, match="in each other's way"):
        switches.register(Switch("b", "B", "", ("x.two", "x.one")))
    with pytest.raises(ValueError, match="in each other's way"):
        switches.register(Switch("a", "Other", "", ("x.two",)))
