"""The gazetteer is compiled once, by one process, and never seen half made."""

import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.failures import Transient
from analysis.gazetteer import complaining, keeping
from tests.analysis.gazetteers import entry, small


@pytest.fixture
def compiled(settings, tmp_path, monkeypatch):
    """Compile a small gazetteer instead of the whole one; return the files that were made."""
    settings.DATA_DIR = tmp_path
    made: list[Path] = []

    def compile_small(file: Path, tell) -> None:
        fresh = file.with_suffix(f".{len(made)}")
        small(fresh, entry("Paris"))
        made.append(fresh)
        fresh.replace(file)
        tell("done", 1.0)

    monkeypatch.setattr(keeping, "_compile", compile_small)
    return made


def test_rivals_compile_it_once(compiled):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keeping.ensure(), range(16)))

    assert len(compiled) == 1
    assert set(found) == {keeping.path()}
    assert keeping.state() == keeping.State(ready=True)


def test_it_is_opened_once_for_all_threads(compiled):
    with ThreadPoolExecutor(8) as pool:
        found = {id(one) for one in pool.map(lambda _: keeping.gazetteer(), range(16))}

    assert len(found) == 1
    assert keeping.gazetteer().known({"paris"}) == {"paris"}


def test_while_it_is_compiled_an_issue_says_so(settings, tmp_path, monkeypatch, now):
    settings.DATA_DIR = tmp_path
    begun, go_on = threading.Event(), threading.Event()

    def compile_slowly(file: Path, tell) -> None:
        (keeping.folder() / "progress").write_text("0.50 cities\n")
        begun.set()
        go_on.wait(60)
        small(file, entry("Paris"))

    monkeypatch.setattr(keeping, "_compile", compile_slowly)
    assert complaining.issues_of_gazetteer(now) == []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(keeping.ensure)
        assert begun.wait(60)
        told = complaining.issues_of_gazetteer(now)
        go_on.set()
        done.result()

    assert [(issue.code, issue.severity) for issue in told] == [("gazetteer_compiling", "amber")]
    assert "50%, cities" in told[0].text
    assert complaining.issues_of_gazetteer(now) == []


def test_a_compiler_that_fails_leaves_nothing_and_says_why(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(Transient, match="can't be compiled"):
        keeping.ensure()

    assert not keeping.path().exists()
    assert list(keeping.folder().glob("places-*")) == []


def test_a_folder_that_cannot_be_written_is_told(settings, tmp_path):
    (tmp_path / "gazetteer").write_text("a file where the folder should be")
    settings.DATA_DIR = tmp_path

    with pytest.raises(Transient, match="can't be compiled"):
        keeping.ensure()


def test_an_older_version_goes_when_the_new_one_is_there(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    keeping.folder().mkdir()
    old = keeping.folder() / "places-000000000000.sqlite3"
    sqlite3.connect(old).close()
    old.touch()
    script = "import sys; open(sys.argv[-2], 'w').close(); print('1.00 done')"
    fake = tmp_path / "python"
    fake.write_text(f"#!{sys.executable}\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    steps = []

    keeping.ensure(lambda step, ratio: steps.append((step, ratio)))

    assert steps == [("done", 1.0)]
    assert [one.name for one in keeping.folder().glob("places-*")] == [keeping.path().name]
