"""Django's own checks of a deployment, on the settings that production reads."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.places import ROOT
from tests.project.settings.test_base import WHOLE

pytestmark = pytest.mark.once

STRONG = {
    "SECRET_KEY": "".join(map(chr, range(48, 112))),
    "FIELD_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode(),
}


def checked(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_production_passes_the_checks_of_a_deployment(tmp_path):
    found = checked(tmp_path, **{**WHOLE, **STRONG})

    assert (found.returncode, found.stdout.strip()[:55]) == (
        0,
        "System check identified no issues (3 silenced).",
    ), found.stderr


def test_weak_key_fails_them(tmp_path):
    found = checked(tmp_path, **{**WHOLE, **STRONG, "SECRET_KEY": "s" * 60})

    assert found.returncode == 1
    assert "security.W009" in found.stderr
