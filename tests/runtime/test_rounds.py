"""What `make test` leaves out and counts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run import Counts

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
CASES = """
import pytest

def test_plain():
    pytest.skip("any")

@pytest.mark.browser
def test_browser():
    pytest.skip("no browser here")

@pytest.mark.postgres
def test_postgres():
    pass

@pytest.mark.once
def test_once():
    pass
"""

SETTINGS = """
SECRET_KEY = "any"
REDIS_URL = ""
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""


def outcome(folder: Path, cases: str = CASES, **environment: str) -> tuple[int, str]:
    """Run the cases on SQLite; return pytest's exit status and its closing line."""
    (folder / "test_cases.py").write_text(cases)
    (folder / "small_settings.py").write_text(SETTINGS)
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  browser:\n  postgres:\n  redis:\n  once:\n"
    )
    dropped = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CI", "MILLRACE_ROUND"}
    dropped |= {name for name in os.environ if name.startswith("PYTEST_")}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    own = {
        **kept,
        # the product's settings and all plugins would take seconds to load
        "DJANGO_SETTINGS_MODULE": "small_settings",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
    }
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "pytest_django.plugin",
        "-p",
        "tests.plugins.rounds",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*words, "-c", str(folder / "pytest.ini"), str(folder)],
        cwd=folder, env={**own, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    last = (done.stdout.strip().splitlines() or [""])[-1]
    return done.returncode, last.rpartition(" in ")[0]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, "1 passed, 3 skipped")),
        ({"MILLRACE_ROUND": "sqlite"}, (0, "1 passed, 2 skipped, 1 deselected")),
        (
            {"MILLRACE_ROUND": "sqlite", "CI": "true"},
            (1, "1 failed, 1 passed, 1 skipped, 1 deselected"),
        ),
        ({"MILLRACE_ROUND": "postgres"}, (0, "3 skipped, 1 deselected")),
        ({"CI": "true"}, (1, "1 failed, 1 passed, 1 skipped, 1 error")),
    ],
)
def test_skips_that_ci_must_not_have_fail_there(tmp_path, environment, expected):
    assert outcome(tmp_path, **environment) == expected


def test_counts_add_up_reports_and_bear_a_missing_one(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>'
    )
    counts = Counts()

    counts.add(report)
    counts.add(report)
    counts.add(tmp_path / "missing.xml")

    assert counts == Counts(passed=6, failed=6, skipped=6)


def test_what_runs_once_asks_for_no_server(tmp_path):
    cases = "import pytest\n\n@pytest.mark.once\n@pytest.mark.redis\ndef test_both():\n    pass\n"

    status, _ = outcome(tmp_path, cases, MILLRACE_ROUND="postgres")

    assert status == pytest.ExitCode.USAGE_ERROR
