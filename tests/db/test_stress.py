import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from project.db.management.commands import db_stress
from project.db.stress import plans, reporting, running
from project.db.stress.plans import Load
from project.db.stress.running import Outcome
from tests.db import files

pytestmark = pytest.mark.once


def outcome(**changes) -> Outcome:
    found = Outcome("ours", seconds=10, operations=20_000, p50_ms=5, p95_ms=20, p99_ms=40)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def met(found: Outcome) -> list[bool]:
    return [target.is_met for target in reporting.judge(found)]


def test_shares_differ_by_one_at_most():
    assert Load(workers=25, processes=2).shares() == [13, 12]
    assert sum(Load(workers=7, processes=3).shares()) == 7


def test_judge_compares_with_each_target():
    few, many = Outcome("a").errors, Outcome("b").errors
    few["busy"], many["busy"] = 100, 101

    assert met(outcome()) == [True, True, True]
    assert met(outcome(errors=few)) == [True, True, True]
    assert met(outcome(errors=many)) == [False, True, True]
    assert met(outcome(p95_ms=35.1)) == [True, False, True]
    assert met(outcome(operations=12_519)) == [True, True, False]


def test_contenders_work_on_files_of_their_own(tmp_path):
    database = {**files.sqlite_settings(tmp_path / "precious.sqlite3"), "TEST": {}}

    found = plans.contenders(database, level="orm", folder=tmp_path / "x", with_baseline=True)

    assert [each.name for each in found] == ["ours", "stock", "tuned", "raw"]
    assert {Path(each.database["NAME"]).parent for each in found} == {tmp_path / "x"}
    assert found[1].database == {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "x" / "stock.sqlite3"),
    }
    assert "pool" not in found[2].database["OPTIONS"]


def test_passwords_are_not_shown():
    found = plans.contenders(
        {"ENGINE": "project.db.postgresql", "PASSWORD": "hidden-word"},
        level="orm",
        folder=Path(),
        with_baseline=True,
    )

    assert [each.name for each in found] == ["ours", "stock"]
    assert "hidden-word" not in str(found)


def test_run_presses_every_contender_and_leaves_nothing_behind(tmp_path):
    database = files.sqlite_settings(tmp_path / "precious.sqlite3")
    load = Load(workers=3, processes=1, seconds=0.3)

    found = running.run(database, load=load, with_baseline=True, rounds=1)

    assert [each.name for each in found] == ["ours", "stock", "tuned", "raw"]
    assert all(each.operations > 20 for each in found)
    assert found[0].errors.total() == 0
    assert [part["max_size"] for part in found[0].pool] == [20]
    assert list(tmp_path.iterdir()) == []
    text = reporting.to_text(load, found, alias="default")
    assert "ours" in text
    assert " x" in text
    assert json.dumps(reporting.to_dict(load, found, alias="default"))


@pytest.fixture
def on_sqlite(monkeypatch, tmp_path):
    settings = files.sqlite_settings(tmp_path / "precious.sqlite3")
    monkeypatch.setattr(
        "project.db.management.commands.db_stress.connections",
        {"default": type("Wrapper", (), {"settings_dict": settings})},
    )


@pytest.mark.parametrize(("level", "processes"), [("orm", 2), ("sql", 1)])
def test_command_reports_and_says_so_by_its_status(on_sqlite, tmp_path, capsys, level, processes):
    words = ["--workers=3", "--seconds=0.3", f"--level={level}", f"--processes={processes}"]
    report = tmp_path / "out.json"

    status: Any = 0
    try:
        call_command(db_stress.Command(), *words, f"--report={report}")
    except SystemExit as error:
        status = error.code

    told = json.loads(report.read_text())
    assert status == (0 if told["is_passed"] else 1)
    assert told["load"]["level"] == level
    assert told["outcomes"][0]["error_rate"] == 0
    assert capsys.readouterr().out.rstrip().count("PASSED" if told["is_passed"] else "FAILED") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--workers=2", "--processes=3"],
        ["--processes=0"],
        ["--write-share=1.5"],
        ["--seconds=0"],
        ["--database=absent"],
    ],
)
def test_command_refuses_what_makes_no_sense(words):
    with pytest.raises(CommandError):
        call_command(db_stress.Command(), *words)
