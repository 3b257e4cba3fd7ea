"""The keys of an embedded installation: made once, in ``DATA_DIR/keys``, readable by the owner alone."""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet


def _made_once(path: Path, value: str) -> str:
    """Return what ``path`` holds, writing ``value`` first where it doesn't exist.

    The file appears whole or not at all, and only one of several rivals writes it.
    """
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # a name of its own: process numbers repeat, between containers too; readable by us alone
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(value)
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    finally:
        draft.unlink()
    sys.stderr.write(f"Made {path}; it is not part of backups: keep a copy of it elsewhere.\n")
    return value


def secret_key(data_dir: Path) -> str:
    """Return the key that signs sessions."""
    return _made_once(data_dir / "keys" / "secret_key", secrets.token_urlsafe(48))


def field_keys(data_dir: Path) -> str:
    """Return the keys that encrypt secrets in the database, newest first, separated by commas."""
    return _made_once(data_dir / "keys" / "field_keys", Fernet.generate_key().decode())
