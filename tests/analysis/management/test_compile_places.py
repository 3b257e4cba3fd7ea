"""What was compiled ahead is used; what cannot be compiled is said."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analysis.gazetteer import keeping
from tests.analysis.gazetteers import entry, small


def compile_places(*arguments: str) -> str:
    out = StringIO()
    call_command("compile_places", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_what_was_compiled_ahead_is_used_without_compiling_again(settings, tmp_path, monkeypatch):
    def compile_small(file: Path, tell) -> None:
        tell("cities", 0.5)
        small(file, entry("Paris"))

    settings.DATA_DIR = tmp_path / "build"
    shipped = tmp_path / "image"
    monkeypatch.setattr(keeping, "_compile", compile_small)

    told = compile_places("--into", str(shipped))

    settings.DATA_DIR = tmp_path / "elsewhere"
    settings.GAZETTEER_DIR = str(shipped)
    monkeypatch.setattr(keeping, "_compile", None)
    assert Path(told).parent == shipped
    assert keeping.state().ready
    assert keeping.gazetteer().known({"paris"}) == {"paris"}
    (shipped / keeping.path().name).rename(shipped / "places-another.sqlite3")
    assert not keeping.state().ready


def test_what_cannot_be_compiled_is_said(settings, tmp_path, monkeypatch):
    def no_room(file: Path, tell) -> None:
        raise OSError("no room")

    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(keeping, "_compile", no_room)

    with pytest.raises(CommandError, match="no room"):
        compile_places()
