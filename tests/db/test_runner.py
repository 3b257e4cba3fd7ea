import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("parallel", ["1", "2"])
def test_djangos_own_runner_leaves_nothing_behind(tmp_path, parallel):
    environment = {
        **os.environ,
        "ENGINE_TEST_FILE": str(tmp_path / "runner.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "tests.db.settings",
    }

    done = subprocess.run(
        [sys.executable, "-m", "django", "test", "tests.db.small", "--parallel", parallel],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Ran 4 tests" in done.stderr
    assert list(tmp_path.iterdir()) == []
