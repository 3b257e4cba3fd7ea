"""Writes ``docs/reference.md``: what there is of each thing that people may name, from the code.

python -m tests.architecture.reference    # after adding one; a test compares the file
"""

import ast
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "reference.md"
APPS = ("project", "accounts", "proxies", "markets", "analysis")
HEAD = """# Reference

What there is of each thing that can be named, with a line on each. This page is written from the code by
`python -m tests.architecture.reference`, and a test fails while it differs. Settings are in
[configuration.md](configuration.md), metrics, tasks and error codes in the README of each app.
"""


def table(heading: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a section with one table."""
    lines = [
        f"\n## {heading}\n",
        f"| {' | '.join(columns)} |",
        f"| {' | '.join('---' for _ in columns)} |",
    ]
    for row in rows:
        cells = (re.sub(r"\s+", " ", cell).replace("|", "\\|").strip() for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def endpoints() -> Iterator[tuple[str, str, str]]:
    """Return method, path and summary of each endpoint."""
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    for path, methods in sorted(paths.items()):
        for method, facts in methods.items():
            if isinstance(facts, dict) and "responses" in facts:
                yield f"`{method.upper()}`", f"`{path}`", facts.get("summary", "")


def commands() -> Iterator[tuple[str, str]]:
    """Return name and help of each management command of ours."""
    from django.core.management import get_commands, load_command_class

    for name, app in sorted(get_commands().items()):
        if str(app).partition(".")[0] in APPS:
            yield f"`{name}`", load_command_class(str(app), name).help


def pages() -> Iterator[tuple[str, str, str]]:
    """Return name, address and purpose of each model's staff pages."""
    from django.contrib import admin
    from django.urls import reverse

    for model, page in admin.site._registry.items():
        options = model._meta
        address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        about = (type(page).__doc__ or "").strip().partition("\n")[0]
        yield str(options.verbose_name_plural).capitalize(), f"`{address}`", about


def kinds() -> Iterator[tuple[str, str, str]]:
    """Return name, label and time limit of each kind of run."""
    from project.core import kinds as registered

    for kind in sorted(registered.known().values(), key=lambda each: each.name):
        if not kind.name.startswith("tests."):
            yield f"`{kind.name}`", kind.label, f"{kind.limit_s} s, {kind.max_attempts} attempts"


def switches() -> Iterator[tuple[str, str, str]]:
    """Return name, text and kinds of each switch."""
    from project.core import switches as registered

    for each in registered.known().values():
        stopped = ", ".join(f"`{kind}`" for kind in each.kinds)
        yield f"`{each.name}`", each.text, stopped or "none"


def announcements() -> Iterator[tuple[str, str]]:
    """Return each event that webhooks are told of."""
    from project.core import announcing

    for name, label in sorted(announcing.known().items()):
        yield f"`{name}`", label


def _calls() -> Iterator[tuple[Path, ast.Call]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts and "sandbox" not in path.parts:
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Call):
                        yield path, node


def _text(node: ast.expr) -> str:
    """Return a literal text; of an f-string, with ``…`` for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    return ""


def issues() -> list[tuple[str, str]]:
    """Return each issue that staff and ``/api/health`` are told, and where it comes from."""
    found = {}
    for path, call in _calls():
        if getattr(call.func, "id", "") == "Issue" and call.args and (code := _text(call.args[0])):
            found[f"`{code}`"] = f"`{path.relative_to(ROOT)}`"
    return sorted(found.items())


def events() -> list[tuple[str, str]]:
    """Return the names of events in the history of runs, and who writes them."""
    from project.core.choices import FINAL_EVENT
    from project.core.events import UPDATE

    core = "`project/core/events.py`"
    found: dict[str, set[str]] = {f"`{name}`": {core} for name in {UPDATE, *FINAL_EVENT.values()}}
    for path, call in _calls():
        called = getattr(call.func, "attr", "")
        place = {"event": 0, "append": 1}.get(called)
        owner = getattr(getattr(call.func, "value", None), "id", "")
        is_ours = called == "event" or owner == "events"
        if place is None or not is_ours or len(call.args) <= place:
            continue
        if name := _text(call.args[place]):
            found.setdefault(f"`{name}`", set()).add(f"`{path.relative_to(ROOT)}`")
    return sorted((name, ", ".join(sorted(paths))) for name, paths in found.items())


def written() -> str:
    """Return the page as it should be."""
    return HEAD + "".join(
        [
            table("Endpoints", ("method", "path", "does"), endpoints()),
            table("Commands", ("`manage.py …`", "does"), commands()),
            table("Kinds of run", ("kind", "is", "an attempt, and how many"), kinds()),
            table("Events of runs", ("event", "written by"), events()),
            table("Events for webhooks", ("event", "tells that"), announcements()),
            table("Issues", ("code", "told by"), issues()),
            table("Switches", ("switch", "while it is off", "kinds of run"), switches()),
            table("Staff pages", ("page", "address", "shows"), pages()),
        ]
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    from project import urls

    assert urls.urlpatterns
    FILE.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
