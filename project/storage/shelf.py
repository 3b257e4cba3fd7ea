"""How backups lie on the disk: the file, its SHA-256 and its facts beside it, drafts apart.

A file under its final name is whole and verified: it is renamed to it last. Drafts of a process
that died are swept by the next that has the lock.
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from project.core.moments import stamp
from project.storage import packing
from project.storage.errors import BackupBusyError, BackupDamagedError, WrongSourceError
from project.storage.progress import Tick, ignore

SHA256: Final = ".sha256"
FACTS: Final = ".json"
_DRAFT: Final = ".draft-"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a backup without opening it.

    Attributes:
        file: its name in the folder.
        database: ``sqlite`` or ``postgresql``.
        made_at: the moment that it shows.
        content_bytes: its size unpacked.
        counts: rows per table in the snapshot that was copied.
        checksums: per table, where they were asked for.
        version: of the product.
    """

    file: str
    database: str
    made_at: datetime
    size_bytes: int
    content_bytes: int
    sha256: str
    took_s: float
    version: str
    counts: Mapping[str, int] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)

    def as_text(self) -> str:
        """Return them as a JSON document."""
        return json.dumps({**asdict(self), "made_at": stamp(self.made_at)}, indent=1) + "\n"


def facts_of(text: str) -> Facts:
    """Return what ``Facts.as_text`` wrote.

    Raises:
        ValueError: it is no such text.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        made_at = datetime.fromisoformat(found.pop("made_at"))
        return Facts(made_at=made_at.astimezone(UTC), **found)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from error


def folder() -> Path:
    """Return the folder of backups, which only its owner may enter."""
    found: Path = settings.BACKUPS_DIR
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def path_of(name: str) -> Path:
    """Return where the backup called ``name`` lies."""
    return folder() / Path(name).name


def name_of(*, database: str, made_at: datetime, kind: str) -> str:
    """Return a new backup's name, e.g. ``millrace-20261122T020000Z-sqlite.sqlite3.zst``."""
    moment = f"{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    base, number = f"millrace-{moment}-{database}", 1
    ending = f".{kind}{packing.ending()}"
    while path_of(f"{base}{ending}").exists():
        number += 1
        base = f"millrace-{moment}-{number}-{database}"
    return f"{base}{ending}"


@contextmanager
def locked() -> Iterator[None]:
    """Let one process at a time change what lies here, and sweep what dead ones left.

    Raises:
        BackupBusyError: another process is at it.
    """
    with (folder() / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupBusyError(
                "another process works on the backups; try again later"
            ) from error
        _sweep()
        yield


def _sweep() -> None:
    for path in folder().glob(f"{_DRAFT}*"):
        shutil.rmtree(path, ignore_errors=True)
    for beside in (SHA256, FACTS):
        for path in folder().glob(f"*{beside}"):
            if not path.with_name(path.name.removesuffix(beside)).exists():
                path.unlink(missing_ok=True)


@contextmanager
def draft() -> Iterator[Path]:
    """Give a folder for what isn't finished; it goes, with all in it, whatever happens."""
    path = folder() / f"{_DRAFT}{uuid.uuid4().hex}"
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def place(packed: Path, facts: Facts) -> Path:
    """Give a verified file its name: what stands beside it first, the file itself last."""
    to = path_of(facts.file)
    _write(packed.parent / "sha256", f"{facts.sha256}  {facts.file}\n")
    _write(packed.parent / "facts", facts.as_text())
    (packed.parent / "sha256").rename(_beside(to, SHA256))
    (packed.parent / "facts").rename(_beside(to, FACTS))
    packed.rename(to)
    packing.sync_folder(folder())
    return to


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}{ending}")


def parts_of(name: str) -> list[Path]:
    """Return the file of a backup and what stands beside it, as far as they are here."""
    path = path_of(name)
    found = [path, _beside(path, SHA256), _beside(path, FACTS)]
    return [part for part in found if part.exists()]


def remove(name: str) -> None:
    """Remove a backup's file, then what stands beside it."""
    for part in parts_of(name):
        part.unlink(missing_ok=True)


def all_facts() -> list[Facts]:
    """Return the facts of every backup that lies here, oldest first; odd files are left alone."""
    found = []
    for path in sorted(folder().glob(f"*{FACTS}")):
        file = path.with_name(path.name.removesuffix(FACTS))
        try:
            facts = facts_of(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if file.exists() and facts.file == file.name:
            found.append(facts)
    return sorted(found, key=lambda facts: facts.made_at)


def find(given: str) -> Path:
    """Return the backup that somebody named: by path, or by its name in the folder.

    Raises:
        WrongSourceError: there is no such file.
    """
    for path in (Path(given), path_of(given)):
        if path.is_file():
            return path.resolve()
    raise WrongSourceError(f"there is no backup {given}, here or in {folder()}")


def checked(file: Path, *, tick: Tick = ignore) -> Facts:
    """Return the facts of ``file`` when it is what they say.

    Raises:
        BackupDamagedError: truncated, altered, or without its SHA-256 or facts beside it.
    """
    expected = _expected_digest(file)
    try:
        facts = facts_of(_beside(file, FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupDamagedError(f"{file.name}{FACTS} is missing or can't be read") from error
    size_bytes = file.stat().st_size
    if size_bytes != facts.size_bytes:
        raise BackupDamagedError(
            f"{file.name} has {size_bytes:,} bytes and was written with {facts.size_bytes:,}"
        )
    if not packing.digest(file, tick=tick) == expected == facts.sha256:
        raise BackupDamagedError(f"{file.name} was altered: its SHA-256 is another one")
    return facts


def _expected_digest(file: Path) -> str:
    try:
        words = _beside(file, SHA256).read_text(encoding="utf-8").split()
    except OSError as error:
        raise BackupDamagedError(
            f"{file.name}{SHA256} is missing: nothing proves the file"
        ) from error
    return words[0] if words else ""


def room_bytes() -> int:
    """Return how much room is left for backups."""
    return shutil.disk_usage(folder()).free
