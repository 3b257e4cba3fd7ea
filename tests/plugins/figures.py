"""Shows what tests measured, after the run: the pairs they gave to ``record_property``."""

from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print each test's figures, in the order of the tests' names."""
    reports = [
        report
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]
    lines = [
        f"{report.nodeid.rpartition('/')[2]}: {name} {value}"
        for report in sorted(reports, key=lambda report: report.nodeid)
        for name, value in report.user_properties
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
