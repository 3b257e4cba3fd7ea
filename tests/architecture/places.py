"""Where the code base keeps what its tests look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SKIPPED: Final = {".venv", "node_modules", "var", "__pycache__", "migrations"}
#: Modules that Django, DRF, Celery, Channels or the floor look for by name.
FRAMEWORK: Final = {
    "__init__",
    "admin",
    "apps",
    "checks",
    "choices",
    "consumers",
    "kinds",
    "metrics",
    "models",
    "querysets",
    "routing",
    "schedules",
    "tasks",
}


@dataclass(frozen=True)
class App:
    """One app: where it is, and where its tests are."""

    path: str
    tests: tuple[str, ...]

    @property
    def package(self) -> str:
        """Its dotted name."""
        return self.path.replace("/", ".")

    @property
    def folder(self) -> Path:
        """Its folder."""
        return ROOT / self.path

    @property
    def verbs(self) -> set[str]:
        """Its modules that no framework asks for by name."""
        return {path.stem for path in self.folder.glob("*.py")} - FRAMEWORK

    def owns(self, module: str) -> bool:
        """Say whether a dotted name lies inside the app."""
        return module == self.package or module.startswith(f"{self.package}.")


APPS: Final = [
    app
    for app in (
        App("project/core", ("project", "console", "browser")),
        App("project/storage", ("storage", "db", "project")),
        App("accounts", ("accounts",)),
        App("proxies", ("proxies",)),
        App("markets", ("markets",)),
        App("analysis", ("analysis",)),
    )
    if (app.folder / "__init__.py").exists()
]
DOCUMENTED: Final = [app for app in APPS if (app.folder / "README.md").exists()]
#: The parts of ``project`` beside its apps: wiring, the engine, the runtime, the sandbox.
TOPS: Final = ("project", "accounts", "proxies", "markets", "analysis")


def sources(*tops: str) -> Iterator[Path]:
    """Yield all modules below some folders, but migrations."""
    for top in tops or TOPS:
        for path in sorted((ROOT / top).rglob("*.py")):
            if not SKIPPED.intersection(path.relative_to(ROOT).parts):
                yield path


def name_of(path: Path) -> str:
    """Return a file's path from the top of the code base."""
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Return the dotted names of the modules that a module imports."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found
