"""How a bare machine gets what a command needs; installing itself is seen by CI."""

import sys
from pathlib import Path
from typing import Any

import pytest

from project.runtime import bootstrap, locking

pytestmark = pytest.mark.once


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path


def test_once_works_again_only_when_a_list_changed(root):
    (root / "list").write_text("a")
    (root / "pins").write_text("a==1")
    done: list[str] = []

    for pins in ("a==1", "a==1", "a==2"):
        (root / "pins").write_text(pins)
        bootstrap.once(root / "mark", ("list", "pins"), done.append)

    assert done == ["list", "list"]


def test_once_leaves_no_mark_where_the_work_failed(root):
    (root / "list").write_text("a")

    def fail(_: str) -> None:
        raise bootstrap.NotPossibleError("no network")

    with pytest.raises(bootstrap.NotPossibleError):
        bootstrap.once(root / "mark", ("list",), fail)

    assert not (root / "mark").exists()


def test_environment_of_another_folder_is_made_anew(root, monkeypatch):
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").write_text("")
    (root / ".venv" / "bin" / "activate").write_text("VIRTUAL_ENV=/elsewhere/.venv")
    monkeypatch.setattr(sys, "executable", "/bin/true")

    bootstrap.make_environment()

    assert not (root / ".venv").exists()  # `true` makes none; a Python would


def test_install_falls_back_to_pip_where_uv_fails(root, monkeypatch):
    called: list[str] = []

    def call(words, environment=None):
        called.append(f"{words[2]} {words[3]}")
        if words[2] == "uv":
            raise bootstrap.NotPossibleError("uv broke")

    monkeypatch.setattr(bootstrap, "call", call)

    bootstrap.install("requirements.txt")

    assert called == ["pip install", "uv pip", "pip install"]


def test_call_says_how_a_program_failed(root):
    with pytest.raises(
        bootstrap.NotPossibleError, match="`sh -c echo one; echo two; exit 3` failed: one / two"
    ):
        bootstrap.call(["sh", "-c", "echo one; echo two; exit 3"])


def test_demo_runs_on_a_data_directory_of_its_own(root, monkeypatch):
    became = []
    monkeypatch.setattr(bootstrap, "provide", lambda *_, **__: None)
    monkeypatch.setattr(bootstrap, "become", lambda *given: became.append(given))
    monkeypatch.setenv("DATA_DIR", "/somewhere")
    monkeypatch.delenv("ALLOW_PRIVATE_NETWORKS", raising=False)

    bootstrap.demo([])

    [(words, environment)] = became
    assert words == ["manage.py", "up", "--demo"]
    assert environment["DATA_DIR"] == "/somewhere/demo"
    assert environment["ALLOW_PRIVATE_NETWORKS"] == "true"


def test_no_committed_list_names_a_registry():
    top = Path(bootstrap.__file__).resolve().parents[2]
    names = ["package-lock.json", ".npmrc", "requirements.txt", "tests/requirements.txt"]

    for name in [*names, "deploy/constraints.txt", "Makefile", ".ci/run"]:
        text = (top / name).read_text()
        assert "://" not in text, name
        assert "index-url" not in text, name


@pytest.mark.parametrize("is_demo", [True, False])
def test_a_command_beside_a_demo_finds_the_demos_world(monkeypatch, tmp_path, is_demo):
    became: dict[str, Any] = {}
    monkeypatch.setattr(bootstrap, "provide", lambda *lists, **options: None)
    monkeypatch.setattr(
        bootstrap, "become", lambda words, given: became.update(words=words, given=given)
    )
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("BINANCE_REST", raising=False)
    monkeypatch.setenv("OKX_REST", "http://127.0.0.1:1")
    if is_demo:
        (tmp_path / "sandbox.json").write_text('{"exchange": {"http": "http://127.0.0.1:9190"}}')

    bootstrap.main(["manage", "collect", "demo_binance"])

    assert became["words"] == ["manage.py", "collect", "demo_binance"]
    told = {"SANDBOX_PORT": "9190", "BINANCE_REST": "http://127.0.0.1:9190"} if is_demo else {}
    found = {name: became["given"].get(name) for name in ("SANDBOX_PORT", "BINANCE_REST")}
    assert {name: value for name, value in found.items() if value} == told
    assert became["given"]["OKX_REST"] == "http://127.0.0.1:1"  # what was said counts


@pytest.mark.parametrize(
    ("started", "expected"),
    [((), "."), ((".",), "."), (("demo",), "demo"), ((".", "demo"), ".")],
)
def test_a_command_goes_to_the_demo_where_that_alone_was_started(
    monkeypatch, tmp_path, capsys, started, expected
):
    became: list[dict[str, str]] = []
    monkeypatch.setattr(bootstrap, "provide", lambda *_, **__: None)
    monkeypatch.setattr(bootstrap, "become", lambda _, given: became.append(given))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    for name in started:
        (tmp_path / name).mkdir(exist_ok=True)
        locking.acquire(tmp_path / name, about="http://127.0.0.1:1/").close()

    bootstrap.main(["manage", "check"])

    assert became[0]["DATA_DIR"] == str(tmp_path / expected)
    told = capsys.readouterr()
    assert told.out == ""
    assert ("demo" in told.err) is (expected == "demo")


def test_modules_are_compiled_once_also_where_no_bytecode_may_be_written_beside_them(root):
    compiling_once = bootstrap.compiling_once

    assert compiling_once({"A": "1"}) == {"A": "1"}
    assert compiling_once({"A": "1", "PYTHONDONTWRITEBYTECODE": "1"}) == {
        "A": "1",
        "PYTHONPYCACHEPREFIX": str(root / ".venv" / "pycache"),
    }
    assert compiling_once({"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/mine"}) == {
        "PYTHONPYCACHEPREFIX": "/mine"
    }
