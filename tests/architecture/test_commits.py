"""What a commit is checked by before it is made exists, and refuses a secret."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

pytestmark = pytest.mark.once

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAMS: Final = Path(sys.executable).parent


def hooks() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: hook for repo in found["repos"] for hook in repo["hooks"]}


def test_every_program_is_installed_with_the_tests():
    for name, hook in hooks().items():
        program = hook["entry"].split()[0]
        assert program.startswith(".venv/bin/"), name
        assert (PROGRAMS / Path(program).name).exists(), program


def test_configuration_is_one_that_pre_commit_takes():
    words = [str(PROGRAMS / "pre-commit"), "validate-config", ".pre-commit-config.yaml"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "refused"),
    [("region = 'eu-west-1'\n", False), ("key = 'AKIA" + "IOSFODNN7EXAMPLF'\n", True)],
)
def test_secrets_are_refused(tmp_path, text, refused):
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "settings.py").write_text(text, encoding="utf-8")
    hook = hooks()["secrets"]["entry"].split()
    words = [PROGRAMS / Path(hook[0]).name, "--baseline", ROOT / hook[2], "settings.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == int(refused), done.stdout
