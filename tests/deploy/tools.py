"""Where the deployment's files are, and the programs that check them."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.services import nginx as servers

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"


def promtool() -> str:
    """Return Prometheus' own checker; skips where the machine has none."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not here: it comes with Debian's package prometheus")
    return found


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a checker and return what it told."""
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


def nginx() -> str:
    """Return the program of nginx; skips where the machine has none."""
    found = servers.program()
    if found is None:
        pytest.skip("nginx is not here: it comes with Debian's package nginx")
    return found
