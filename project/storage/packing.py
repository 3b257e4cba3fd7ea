"""How a backup is packed: zstd where the library is there, else gzip; its SHA-256 on the way."""

import contextlib
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from project.storage.errors import BackupDamagedError
from project.storage.progress import Tick, ignore

try:
    import zstandard
except ImportError:  # no wheel for this platform: gzip is slower and larger, and always there
    zstandard = None  # type: ignore[assignment]
HAS_ZSTD: Final = bool(zstandard)

CHUNK: Final = 1 << 20
#: Some 200 MB/s and a tenth of the size on our tables; higher levels gain little.
_ZSTD_LEVEL: Final = 3
_GZIP_LEVEL: Final = 6
ZSTD: Final = ".zst"
GZIP: Final = ".gz"


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written: bytes before and after packing, and the digest of the file."""

    content_bytes: int
    size_bytes: int
    sha256: str


def ending() -> str:
    """Return the ending of files packed here."""
    return ZSTD if HAS_ZSTD else GZIP


class _Digesting:
    """A file that hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        """Write all of ``data``."""
        self._digest.update(data)
        self.size_bytes += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Give what was written to the system."""
        self._file.flush()

    def hexdigest(self) -> str:
        """Return the SHA-256 of everything written."""
        return self._digest.hexdigest()


def pack(chunks: Iterable[bytes], to: Path) -> Packed:
    """Write ``chunks``, packed as the ending of ``to`` says, and make sure they are on the disk.

    Raises:
        OSError: also when there is no room; the half file is the caller's to remove.
    """
    content_bytes = 0
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        out = _Digesting(file)
        with _packer(out, to) as packer:
            for chunk in chunks:
                content_bytes += len(chunk)
                packer.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Packed(content_bytes, out.size_bytes, out.hexdigest())


def _packer(out: _Digesting, to: Path) -> Any:
    if to.name.endswith(ZSTD):
        how = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
        return how.stream_writer(cast("IO[bytes]", out), closefd=False)
    return gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0)


def unpack(file: Path, *, tick: Tick = ignore) -> Iterator[bytes]:
    """Give the content of a packed file in chunks.

    Raises:
        BackupDamagedError: it is no such file, is cut off, or was altered.
    """
    size_bytes = max(1, file.stat().st_size)
    with file.open("rb") as packed, _reader(packed, file) as reader:
        while True:
            try:
                chunk = reader.read(CHUNK)
            except Exception as error:
                if not _is_damage(error):
                    raise
                raise BackupDamagedError(f"{file.name} can't be unpacked: {error}") from error
            if not chunk:
                return
            yield chunk
            tick(packed.tell() / size_bytes)


def _reader(packed: IO[bytes], file: Path) -> Any:
    if not file.name.endswith(ZSTD):
        return gzip.GzipFile(fileobj=packed, mode="rb")
    if not HAS_ZSTD:
        raise BackupDamagedError(f"{file.name}: install zstandard (requirements.txt) to read it")
    return zstandard.ZstdDecompressor().stream_reader(packed, closefd=False)


def _is_damage(error: Exception) -> bool:
    damages: tuple[type[Exception], ...] = (gzip.BadGzipFile, EOFError, zlib.error)
    if HAS_ZSTD:
        damages = (*damages, zstandard.ZstdError)
    return isinstance(error, damages)


def digest(file: Path, *, tick: Tick = ignore) -> str:
    """Return the SHA-256 of a file as it lies on the disk."""
    found = hashlib.sha256()
    size_bytes = max(1, file.stat().st_size)
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            found.update(chunk)
            tick(opened.tell() / size_bytes)
    return found.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make sure that names made or changed in ``folder`` outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(OSError):  # some file systems can't
        os.fsync(handle)
    os.close(handle)
