"""Runs every check and all tests, on SQLite and on PostgreSQL with Redis: `make test`.

``python -m tests.run [STEP…] [-- PYTEST-ARGUMENT…]``. All steps run, whatever fails before; the
exit status is 0 when none failed. The last line counts the tests of both rounds.
"""

# ruff: noqa: T201 -- it talks to people

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree as ET

from tests.services import postgres, valkey

#: What a developer's shell may say to the product must not reach the tests.
PRODUCT_VARIABLES = {
    *(
        "DATABASE_URL",
        "REDIS_URL",
        "CELERY_BROKER_URL",
        "ENVIRONMENT",
        "PUBLIC_URL",
        "HOST",
        "PORT",
    ),
    *("SECRET_KEY", "FIELD_KEYS", "ALLOW_PRIVATE_NETWORKS", "JUDGE_URLS", "SANDBOX_CANDLES"),
    *("PROMETHEUS_MULTIPROC_DIR", "LOG_FORMAT", "LOG_LEVEL", "REGISTRATION", "METRICS_PUBLIC"),
    "METRICS_PORT",
    *("RATE_LIMIT_ENABLED", "RATE_LIMIT_ALLOW", "TRUSTED_PROXIES"),
}
WORKERS_AT_MOST = 4
_MANAGE = ("manage.py",)
_IMPORTS = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"

#: Name of each check, what it is about, and the words after `python` that do it.
CHECKS: Mapping[str, tuple[str, Sequence[str]]] = {
    "format": ("the code is formatted", ("-m", "ruff", "format", "--check", ".")),
    "rules": ("the code keeps the rules of ruff", ("-m", "ruff", "check", ".")),
    "types": ("types fit", ("-m", "mypy")),
    "imports": ("imports go downwards", ("-c", _IMPORTS)),
    "migrations": (
        "no migration is missing",
        (*_MANAGE, "makemigrations", "--check", "--dry-run"),
    ),
    "schema": (
        "the OpenAPI document has no warning",
        (*_MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull),
    ),
}
ROUNDS: Mapping[str, str] = {
    "sqlite": "all tests, on SQLite",
    "postgres": "all tests, on PostgreSQL and Redis",
}
#: Rounds that run when they are named alone: they tell what a developer asks now and then.
ASKED: Mapping[str, str] = {
    "coverage": "all tests, on SQLite, and how much of the code they ran, by branch",
}
#: Percent of the lines and branches together, and of the branches alone, that tests must run.
COVERED_AT_LEAST = 90


@dataclass
class Counts:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, report: Path) -> None:
        """Add what a JUnit ``report`` counts; nothing where pytest did not get to write one."""
        if not report.exists():
            return
        for suite in ET.parse(report).getroot().iter("testsuite"):
            tests, failures, errors, skipped = (
                int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
            )
            self.passed += tests - failures - errors - skipped
            self.failed += failures + errors
            self.skipped += skipped


@dataclass
class Results:
    """What each step came to."""

    counts: Counts = field(default_factory=Counts)
    steps: list[tuple[str, bool, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, about: str) -> Iterator[list[int]]:
        """Announce a step, time it, and note whether the status put into the list is 0."""
        print(f"\n=== {name}: {about}", flush=True)
        began_at = time.monotonic()
        statuses: list[int] = []
        try:
            yield statuses
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"{type(error).__name__}: {error}", flush=True)
            statuses.append(1)
        took_s = time.monotonic() - began_at
        self.steps.append((name, statuses == [0], took_s))
        print(f"--- {name}: {'ok' if statuses == [0] else 'FAILED'} in {took_s:.1f} s", flush=True)

    def tell(self) -> int:
        """Print the summary; return the exit status."""
        print("\n=== summary")
        for name, is_ok, took_s in self.steps:
            print(f"{'ok' if is_ok else 'FAILED':8}{name:14}{took_s:7.1f} s")
        counts = self.counts
        print(f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped")
        return 0 if all(is_ok for _, is_ok, _ in self.steps) else 1


def main(words: Sequence[str]) -> int:
    """Run the steps that ``words`` name, or all."""
    names, extra = _split(words)
    known = {**CHECKS, **ROUNDS, **ASKED}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no step {unknown[0]!r}: write some of {', '.join(known)}")
        return 2
    results = Results()
    with tempfile.TemporaryDirectory(prefix="millrace-checks-") as folder:
        environment = _environment(Path(folder))
        for name, (about, command) in CHECKS.items():
            if name in names or not names:
                with results.step(name, about) as statuses:
                    statuses.append(_python(command, environment))
        for name, about in {**ROUNDS, **ASKED}.items():
            if name in names or (not names and name in ROUNDS):
                report = Path(folder) / f"{name}.xml"
                with results.step(name, about) as statuses, ExitStack() as servers:
                    own = {**environment, **_servers(name, servers)}
                    if name == "coverage":
                        statuses.append(_covered(Path(folder), _pytest(report), extra, own))
                    else:
                        statuses.append(_python([*_pytest(report), *extra], own))
                results.counts.add(report)
    return results.tell()


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the steps and what follows ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return list(words[:at]), list(words[at + 1 :])


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of all steps: nothing of the product's, no data of anybody's."""
    kept = {name: value for name, value in os.environ.items() if name not in PRODUCT_VARIABLES}
    return {**kept, "DATA_DIR": str(folder / "data")}


def _servers(round_name: str, servers: ExitStack) -> dict[str, str]:
    """Return the environment of a round; its servers run until ``servers`` is closed."""
    own = {"MILLRACE_ROUND": "postgres", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    if round_name != "postgres":
        return {**own, "MILLRACE_ROUND": "sqlite"}
    given = os.environ.get
    database_url = given("TEST_DATABASE_URL") or servers.enter_context(postgres.running())
    redis_url = given("TEST_REDIS_URL") or servers.enter_context(valkey.running())
    broker_url = urlunsplit(urlsplit(redis_url)._replace(path="/1"))
    return {
        **own,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": broker_url,
    }


def _pytest(report: Path) -> list[str]:
    """Return how pytest is called: on all cores."""
    workers = os.environ.get("TEST_WORKERS") or str(min(os.cpu_count() or 1, WORKERS_AT_MOST))
    parallel = ["-n", workers, "--dist", "load"]
    return ["-m", "pytest", "-q", "--color=no", *parallel, f"--junitxml={report}"]


def _covered(
    folder: Path, words: Sequence[str], extra: Sequence[str], environment: Mapping[str, str]
) -> int:
    """Run pytest and tell what it ran; return its status, or 1 where too few branches were run."""
    told = folder / "coverage.json"
    asked = ("--cov", "--cov-report=term:skip-covered", f"--cov-report=json:{told}")
    status = _python([*words, *asked, f"--cov-fail-under={COVERED_AT_LEAST}", *extra], environment)
    if not told.exists():
        return status or 1
    percent = json.loads(told.read_text())["totals"]["percent_branches_covered"]
    print(f"Branches alone: {percent:.1f} % (asked: {COVERED_AT_LEAST} %)")
    return status or int(percent < COVERED_AT_LEAST)


def _python(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run this environment's Python with ``words``; return its exit status."""
    return subprocess.run([sys.executable, *words], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
