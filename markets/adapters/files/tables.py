"""Rows out of Parquet, feather and Arrow files, batch by batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from markets.adapters.files.lines import BATCH, BadCandleFileError, Batch, Places, named

#: A row group that unpacks to more is refused: it would have to be in memory as a whole.
MOST_BYTES: Final = 1 << 29
#: A feather file's batches are unpacked as a whole: so many rows at most.
MOST_ROWS: Final = 50_000_000


def batches(path: Path, form: str, name: str) -> Iterator[Batch]:
    """Yield the rows of a file that is ``parquet``, ``feather`` or ``arrow``.

    Raises:
        BadCandleFileError: it can't be read, lacks a column, or would unpack to too much.
    """
    import pyarrow as pa  # noqa: PLC0415 -- 40 MB that only these files need

    try:
        tables = _parquet(path, name) if form == "parquet" else _arrow(path, form, name)
        number = 0
        for table in tables:
            for batch in _rows(table, name, number):
                number += len(batch)
                yield batch
    except (pa.ArrowException, OSError) as error:
        told = str(error).replace(str(path), name)  # where it lies is nobody's affair
        raise BadCandleFileError(f"{name}: {told[:200]}") from error


def _parquet(path: Path, name: str) -> Iterator[Any]:
    from pyarrow import parquet  # noqa: PLC0415 -- as above

    with parquet.ParquetFile(path) as file:
        for number in range(file.metadata.num_row_groups):
            if file.metadata.row_group(number).total_byte_size > MOST_BYTES:
                raise BadCandleFileError(f"{name}: row group {number} unpacks to too much")
        yield from file.iter_batches(batch_size=BATCH)


def _arrow(path: Path, form: str, name: str) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 -- as above
    from pyarrow import dataset  # noqa: PLC0415 -- as above

    with pa.memory_map(str(path)) as source:
        if form == "arrow":
            yield from pa.ipc.open_stream(source)
            return
        if dataset.dataset(path, format="feather").count_rows() > MOST_ROWS:
            raise BadCandleFileError(f"{name}: more than {MOST_ROWS:,} rows")
        file = pa.ipc.open_file(source)
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


def _rows(table: Any, name: str, before: int) -> Iterator[Batch]:
    places = named(table.schema.names, name)
    for start in range(0, table.num_rows, BATCH):
        part = table.slice(start, BATCH)
        columns = [_cells(part.column(n)) for n in range(part.num_columns)]
        batch = Batch()
        _take(batch, list(zip(*columns, strict=True)), places, before + start)
        yield batch


def _take(batch: Batch, lines: list[Any], places: Places, before: int) -> None:
    for number, cells in enumerate(lines, start=before + 1):
        batch.take(number, cells, places)


def _cells(column: Any) -> list[Any]:
    """Return a column's values; moments as numbers, which is exact whatever their unit."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return list(column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_pylist())
    return list(column.to_pylist())
