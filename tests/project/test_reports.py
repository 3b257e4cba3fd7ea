from project.core import reports
from project.core.models import Run
from project.core.reports import Line, Report


def test_runs_of_a_kind_have_the_reports_that_it_registered(monkeypatch):
    monkeypatch.setattr(reports, "_sources", {})

    @reports.register("tests.told")
    def told(run):
        return [Report("What came", lines=[Line("runs", run.subject)])]

    assert reports.has("tests.told")
    assert reports.of(Run(kind="tests.told", subject="3"))[0].lines[0].value == "3"
    assert reports.of(Run(kind="tests.silent")) == []
    assert not reports.has("tests.silent")
