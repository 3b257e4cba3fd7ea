"""Decides when static files are collected anew: when one of them or their number has changed."""

import hashlib
import shutil
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def publish(*, root: Path, mark: Path) -> int:
    """Collect all static files into ``root`` unless ``mark`` says that they are there.

    Args:
        root: emptied first; made where it doesn't exist.
        mark: a file that keeps what the files were like.

    Returns:
        How many files were collected; 0 where nothing has changed.
    """
    now = fingerprint()
    if root.is_dir() and mark.exists() and mark.read_text(encoding="ascii") == now:
        return 0
    mark.unlink(missing_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(now, encoding="ascii")
    return sum(path.is_file() for path in root.rglob("*"))


def fingerprint() -> str:
    """Return what changes with the name, size or time of any static file."""
    lines = []
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
