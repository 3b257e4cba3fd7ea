"""Which kind of candle file it is, by its first bytes; archives opened, checksums verified."""

import gzip
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markets.adapters.files import tables, texts
from markets.adapters.files.lines import BadCandleFileError, Batch

#: What an archive may unpack to, bytes; it is never in memory as a whole.
MOST_BYTES: Final = 4 << 30
#: Members of an archive that are looked at.
MOST_MEMBERS: Final = 100
_SUM: Final = re.compile(r"\s*([0-9a-fA-F]{64})\b")
_NAMED: Final = re.compile(
    r"(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Za-z0-9]+)-(?P<timeframe>\d+[smhdwM])\b"
    r"|(?P<symbol>[A-Z0-9]+)-(?P<interval>\d+(?:[smhdwM]|mo))-\d{4}-\d{2}"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a file's name tells, as freqtrade and Binance name theirs; empty where it doesn't."""

    symbol: str = ""
    timeframe: str = ""


def named(name: str) -> Named:
    """Return what a file's name tells: ``BTC_USDT-5m.feather``, ``BTCUSDT-1m-2024-01.zip``."""
    found = _NAMED.search(name)
    if found is None:
        return Named()
    if found["base"]:
        return Named(f"{found['base']}/{found['quote']}", found["timeframe"])
    return Named(found["symbol"], found["interval"].replace("mo", "M"))


def form_of(path: Path) -> str:
    """Return ``zip``, ``gzip``, ``parquet``, ``feather``, ``arrow``, ``json`` or ``csv``."""
    with path.open("rb") as file:
        head = file.read(64)
    return _form_of(head)


def _form_of(head: bytes) -> str:
    for form, mark in _MARKS:
        if head.startswith(mark):
            return form
    is_json = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"{"))
    return "json" if is_json else "csv"


_MARKS: Final = (
    ("zip", b"PK\x03\x04"),
    ("gzip", b"\x1f\x8b"),
    ("parquet", b"PAR1"),
    ("feather", b"ARROW1"),
    ("arrow", b"\xff\xff\xff\xff"),
)


def batches(path: Path, name: str) -> Iterator[Batch]:
    """Yield the rows of a candle file of any known kind.

    Raises:
        BadCandleFileError: it can't be read, or would unpack to too much.
    """
    form = form_of(path)
    if form in {"parquet", "feather", "arrow"}:
        yield from tables.batches(path, form, name)
        return
    try:
        if form == "zip":
            yield from _members(path, name)
        elif form == "gzip":
            with gzip.open(path, "rb") as file:
                yield from _texts(_Bounded(file, name), name)
        else:
            with path.open("rb") as plain:
                yield from _texts(_Bounded(plain, name), name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise BadCandleFileError(f"{name}: {error}") from error


def _members(path: Path, name: str) -> Iterator[Batch]:
    with zipfile.ZipFile(path) as archive:
        wanted = [one for one in archive.infolist() if not _is_hidden(one)]
        if not wanted or len(wanted) > MOST_MEMBERS:
            raise BadCandleFileError(f"{name}: 1 to {MOST_MEMBERS} files are expected in it")
        if sum(one.file_size for one in wanted) > MOST_BYTES:
            raise BadCandleFileError(f"{name}: it unpacks to more than {MOST_BYTES:,} bytes")
        left = MOST_BYTES  # what members say of their size may be a lie
        for one in sorted(wanted, key=lambda member: member.filename):
            if one.flag_bits & 1:
                raise BadCandleFileError(f"{name}: {one.filename} is encrypted")
            with archive.open(one) as file:
                bounded = _Bounded(file, name, left)
                yield from _texts(bounded, f"{name}: {one.filename}")
                left = bounded.left


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    """Say whether a member is a folder, or what a desktop adds by itself."""
    parts = member.filename.split("/")
    return member.is_dir() or parts[0] == "__MACOSX" or parts[-1].startswith(".")


def _texts(stream: "_Bounded", name: str) -> Iterator[Batch]:
    head = stream.peek()
    if _form_of(head) == "json":
        yield from texts.json_batches(stream, name)
    elif _form_of(head) == "csv":
        yield from texts.csv_batches(stream, name)
    else:
        raise BadCandleFileError(f"{name}: a packed file inside of a packed file")


class _Bounded:
    """A stream that ends with an error when more comes out of it than may."""

    def __init__(self, file: Any, name: str, left: int = MOST_BYTES) -> None:
        self._file: texts.Bytes = file
        self._name = name
        self._head = b""
        self.left = left

    def peek(self) -> bytes:
        """Return the first bytes; they are read again."""
        self._head = self._file.read(64)
        return self._head

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        piece, self._head = self._head[:size], self._head[size:]
        if not piece:
            piece = self._file.read(size)
        self.left -= len(piece)
        if self.left < 0:
            raise BadCandleFileError(f"{self._name}: it unpacks to more than {MOST_BYTES:,} bytes")
        return piece


def require_checksum(path: Path, told: str, name: str) -> None:
    """Verify a file by what its ``.CHECKSUM`` file says.

    Raises:
        BadCandleFileError: it is another file, or a broken one; or that is no checksum.
    """
    found = _SUM.match(told)
    if found is None:
        raise BadCandleFileError(f"{name}: its CHECKSUM file holds no SHA-256")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != found[1].lower():
        raise BadCandleFileError(f"{name}: the checksum differs: broken, or revised since")
