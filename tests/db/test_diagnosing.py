from pathlib import Path

import pytest

from project.db import diagnosing
from project.db.findings import Healing, Severity
from tests.db import catalogue
from tests.db.catalogue import FAULTS, Fault

README = Path(__file__).parents[2] / "project" / "db" / "README.md"
LEAST_DIAGNOSED = 0.95


def first_name(fault: Fault) -> str:
    return next((finding.name for finding in diagnosing.diagnose(fault.series())), "")


def test_catalogue_is_diagnosed_by_name(record_property):
    missed = [fault.text for fault in FAULTS if first_name(fault) != fault.name]

    share = 1 - len(missed) / len(FAULTS)
    record_property("faults diagnosed by name", f"{share:.1%} of {len(FAULTS)}; missed {missed}")
    assert share >= LEAST_DIAGNOSED


@pytest.mark.parametrize("name", catalogue.HEALTHY_SERIES)
def test_healthy_series_have_no_finding(name):
    series = Fault(name, "", catalogue.HEALTHY_SERIES[name], seconds=40).series()

    assert diagnosing.diagnose(series) == []


def test_every_rule_has_a_fault_and_a_row_in_the_readme():
    rules = {rule.__name__.removeprefix("_") for rule in diagnosing.RULES}
    text = README.read_text()

    names = {fault.name for fault in FAULTS}

    assert len(names) == len(rules)
    assert [name for name in sorted(names) if f"| `{name}` |" not in text] == []


def test_findings_explain_themselves():
    for fault in FAULTS:
        for finding in diagnosing.diagnose(fault.series()):
            assert finding.explanation.endswith((".", ")")) or ": " in finding.explanation
            assert finding.remedy.endswith(".")


def test_leak_names_the_place_that_holds_it():
    fault = next(fault for fault in FAULTS if fault.text == "leaks have emptied the pool")

    found = diagnosing.diagnose(fault.series())

    assert [finding.name for finding in found] == ["leak", "exhausted"]
    assert found[0].place == "analysis/streaming.py:12"
    assert "20 taken at analysis/streaming.py:12" in found[0].explanation
    assert found[0].severity is Severity.ERROR


def test_healing_is_offered_where_the_process_can_do_it():
    offered = {
        finding.name: finding.healing
        for fault in FAULTS
        for finding in diagnosing.diagnose(fault.series())
        if finding.healing
    }

    assert offered == {
        "cannot_connect": Healing.RECYCLE,
        "unstable": Healing.RECYCLE,
        "starved": Healing.GROW,
        "wal_growing": Healing.CHECKPOINT,
        "wal_pinned": Healing.CHECKPOINT,
    }


def test_nothing_is_found_in_nothing():
    assert diagnosing.diagnose([]) == []
