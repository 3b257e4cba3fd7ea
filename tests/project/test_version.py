import re
import subprocess

import pytest

from project.core import version


@pytest.fixture(autouse=True)
def _fresh():
    version.commit.cache_clear()
    yield
    version.commit.cache_clear()


def test_commit_is_the_one_the_environment_names(monkeypatch):
    monkeypatch.setenv("GIT_COMMIT", "1a2b3c")

    assert version.commit() == "1a2b3c"
    assert version.label() == f"{version.NUMBER}+1a2b3c"


def test_commit_is_else_what_git_says(monkeypatch, settings, tmp_path):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    settings.BASE_DIR = tmp_path

    assert re.fullmatch(r"[0-9a-f]{12}", version.commit())


@pytest.mark.parametrize("why", ["no repository", "no git", "git hangs"])
def test_commit_is_else_unknown(why, monkeypatch, settings, tmp_path):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    settings.BASE_DIR = tmp_path
    if why == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    if why == "git hangs":

        def hang(*args, **kwargs):
            raise subprocess.TimeoutExpired("git", 5)

        monkeypatch.setattr(subprocess, "run", hang)

    assert version.commit() == "unknown"
