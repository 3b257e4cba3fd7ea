"""How candles are written: JSON, CSV, Parquet, Arrow, and the files of freqtrade; piece by piece."""

import csv
import gzip
import io
from collections.abc import Iterator
from typing import Any, Final, Protocol

import orjson

from markets.reading import Reader, Told
from project.core.errors import InvalidInputError

CSV_HEADING: Final = "open_time_ms,open,high,low,close,volume"
#: Rows of one row group of a Parquet or feather file: what is held in memory.
GROUP: Final = 50_000


class UnknownFormError(InvalidInputError):
    """Candles can't be written in such a form."""

    code = "unknown_form"
    title = "Unknown form of a file"


class Form(Protocol):
    """Writes candles in one form; pieces may be empty."""

    def begin(self) -> bytes:
        """Return what stands before the candles."""

    def rows(self, told: list[Told], missing: dict[int, int]) -> bytes:
        """Return the next candles; ``missing`` as ``Reader.missing``."""

    def end(self) -> bytes:
        """Return what stands after the candles."""


class Csv:
    """CSV: the contract's heading; with fill-ins a column more that flags them, as do lacks."""

    content_type: Final = "text/csv; charset=utf-8"

    def __init__(self, *, is_filled: bool = False, is_made: bool = False) -> None:
        self._is_filled = is_filled
        self._is_made = is_made

    def begin(self) -> bytes:
        """Return the heading."""
        more = (",filled" if self._is_filled else "") + (",missing" if self._is_made else "")
        return f"{CSV_HEADING}{more}\n".encode()

    def rows(self, told: list[Told], missing: dict[int, int]) -> bytes:
        """Return lines."""
        found: Iterator[Any] = (row[:6] for row in told)
        if self._is_filled:
            found = ((*row[:6], "true" if row[7] else "false") for row in told)
        if self._is_made:
            lacks = (missing.get(row[0], 0) for row in told)
            found = ((*row, lack) for row, lack in zip(found, lacks, strict=True))
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(found)
        return lines.getvalue().encode()

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class FreqtradeJson:
    """freqtrade's JSON: an array of ``[ms, open, high, low, close, volume]``, gzipped or not."""

    def __init__(self, *, is_packed: bool) -> None:
        self._buffer = io.BytesIO()
        # no moment in the heading: the same candles are the same file
        self._file: Any = (
            gzip.GzipFile("", "wb", 6, self._buffer, mtime=0) if is_packed else self._buffer
        )
        self._is_first = True

    def begin(self) -> bytes:
        """Return the bracket."""
        return self._put(b"[")

    def rows(self, told: list[Told], missing: dict[int, int]) -> bytes:
        """Return elements of the array."""
        inner = orjson.dumps([row[:6] for row in told])[1:-1]
        comma = b"" if self._is_first or not inner else b","
        self._is_first = self._is_first and not inner
        return self._put(comma + inner)

    def end(self) -> bytes:
        """Return the bracket."""
        self._file.write(b"]")
        if self._file is not self._buffer:
            self._file.close()
        return self._drained()

    def _put(self, piece: bytes) -> bytes:
        self._file.write(piece)
        return self._drained()

    def _drained(self) -> bytes:
        found = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return found


class Columns:
    """Parquet, Arrow's stream, or a feather file: columns, so many rows at a time.

    ``open_time`` (milliseconds, UTC), the five values, ``final``, ``filled``, and of candles made of
    others ``missing``; feather as freqtrade has it: ``date`` and the five values.
    """

    def __init__(self, form: str, *, is_made: bool = False) -> None:
        """Write ``parquet``, ``arrow`` or ``feather``."""
        import pyarrow as pa  # noqa: PLC0415 -- 40 MB that only these forms need

        self._pa = pa
        self._form = form
        self._is_made = is_made
        self._schema = self._schema_of()
        self._sink = _Sink()
        self._held: list[Any] = []
        self._count = 0
        self._writer: Any = None

    def _schema_of(self) -> Any:
        pa = self._pa
        moment = pa.timestamp("ms", tz="UTC")
        values = [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume")]
        if self._form == "feather":
            return pa.schema([("date", moment), *values])
        flags = [("final", pa.bool_()), ("filled", pa.bool_())]
        lacks = [("missing", pa.int32())] if self._is_made else []
        return pa.schema([("open_time", moment), *values, *flags, *lacks])

    def begin(self) -> bytes:
        """Return the head of the file."""
        pa = self._pa
        if self._form == "parquet":
            from pyarrow import parquet  # noqa: PLC0415 -- as above

            self._writer = parquet.ParquetWriter(
                pa.PythonFile(self._sink, mode="w"),
                self._schema,
                compression="zstd",
                use_dictionary=False,  # prices hardly repeat, and it costs memory
            )
        elif self._form == "arrow":
            self._writer = pa.ipc.new_stream(pa.PythonFile(self._sink, mode="w"), self._schema)
        else:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            target = pa.PythonFile(self._sink, mode="w")
            self._writer = pa.ipc.new_file(target, self._schema, options=options)
        return self._sink.drained()

    def rows(self, told: list[Told], missing: dict[int, int]) -> bytes:
        """Return a batch, or nothing while a row group is being gathered."""
        self._held.append(self._batch(told, missing))
        self._count += len(told)
        if self._form == "arrow" or self._count >= GROUP:
            self._flush()
        return self._sink.drained()

    def end(self) -> bytes:
        """Return the last rows and the foot of the file."""
        self._flush()
        self._writer.close()
        return self._sink.drained()

    def _batch(self, told: list[Told], missing: dict[int, int]) -> Any:
        columns: list[Any] = list(zip(*told, strict=True))[: 6 if self._form == "feather" else 8]
        if self._is_made and self._form != "feather":
            columns.append([missing.get(row[0], 0) for row in told])
        arrays = [
            self._pa.array(column, type=field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        return self._pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _flush(self) -> None:
        if self._held:
            table = self._pa.Table.from_batches(self._held).combine_chunks()
            self._writer.write_table(table)
        self._held, self._count = [], 0


class _Sink(io.RawIOBase):
    """A file that is taken away piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, piece: Any) -> int:
        """Take a piece."""
        taken = bytes(piece)
        self._pieces.append(taken)
        self._length += len(taken)
        return len(taken)

    def tell(self) -> int:
        """Return how much was written in all."""
        return self._length

    def drained(self) -> bytes:
        """Return what came since the last time."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


#: Forms by the ending of a file's name.
ENDINGS: Final = (".csv", ".parquet", ".arrows", ".feather", ".json", ".json.gz")


def form_of(name: str, *, is_made: bool = False, is_filled: bool = False) -> Form:
    """Return the form that a file's name asks for.

    Raises:
        UnknownFormError: no form has such an ending.
    """
    ending = next((one for one in ENDINGS if name.lower().endswith(one)), "")
    if ending == ".csv":
        return Csv(is_filled=is_filled, is_made=is_made)
    if ending in {".json", ".json.gz"}:
        return FreqtradeJson(is_packed=ending == ".json.gz")
    if not ending:
        raise UnknownFormError(f"{name}: a file of candles ends in {', '.join(ENDINGS)}")
    form = {".parquet": "parquet", ".arrows": "arrow", ".feather": "feather"}[ending]
    return Columns(form, is_made=is_made)


def pieces(reader: Reader, form: Form) -> Iterator[bytes]:
    """Yield the file piece by piece, none of them empty."""
    if head := form.begin():
        yield head
    while told := reader.read():
        if piece := form.rows(told, reader.missing):
            yield piece
    if foot := form.end():
        yield foot


def as_json(told: list[Told], *, is_first: bool) -> bytes:
    """Return candles as a part of a JSON array, with the comma before where it isn't the first."""
    inner = orjson.dumps(told)[1:-1]
    return inner if is_first or not inner else b"," + inner
