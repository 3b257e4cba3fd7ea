"""The statements by which TimescaleDB takes a table over: chunks, compression, dropping.

The extension is in no registry that the tests can reach: they hold these statements by their text.
"""

from typing import Any, Final

from project.db.partitions.tables import CHUNK_DAYS, DAY_MS, TimeTable

_INSTALLED: Final = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
_IS_ONE: Final = (
    "SELECT 1 FROM timescaledb_information.hypertables"
    " WHERE hypertable_schema = current_schema() AND hypertable_name = %s"
)
#: Policies on integer columns ask the table what time it is.
NOW_MS: Final = (
    "CREATE OR REPLACE FUNCTION millrace_now_ms() RETURNS bigint LANGUAGE sql STABLE AS"
    " $$ SELECT (extract(epoch FROM now()) * 1000)::bigint $$"
)


def is_installed(cursor: Any) -> bool:
    """Say whether the database has the extension; not whether the server could have it."""
    cursor.execute(_INSTALLED)
    return cursor.fetchone() is not None


def is_one(cursor: Any, table: TimeTable) -> bool:
    """Say whether TimescaleDB has the table."""
    if not is_installed(cursor):
        return False
    cursor.execute(_IS_ONE, [table.name])
    return cursor.fetchone() is not None


def statements(table: TimeTable) -> list[str]:
    """Return what makes a hypertable with compression of an empty, plain table."""
    options = ["timescaledb.compress", f"timescaledb.compress_orderby = '{table.column}'"]
    if table.segment_by:
        options.insert(1, f"timescaledb.compress_segmentby = '{table.segment_by}'")
    found = [
        (
            f"SELECT create_hypertable('{table.name}', '{table.column}',"
            f" chunk_time_interval => {_span(table, CHUNK_DAYS)}, create_default_indexes => FALSE)"
        )
    ]
    if not table.is_moment:
        found += [NOW_MS, f"SELECT set_integer_now_func('{table.name}', 'millrace_now_ms')"]
    return [
        *found,
        f'ALTER TABLE "{table.name}" SET ({", ".join(options)})',
        f"SELECT add_compression_policy('{table.name}', {_span(table, table.compress_after_days)})",
    ]


def drop_statement(table: TimeTable, before_ms: int) -> str:
    """Return what drops the chunks that end before a moment."""
    kind = "TIMESTAMPTZ " if table.is_moment else "BIGINT "
    moment = table.literal(before_ms).strip("'")
    return f"SELECT drop_chunks('{table.name}', older_than => {kind}'{moment}')"


def _span(table: TimeTable, days: int) -> str:
    return f"INTERVAL '{days} days'" if table.is_moment else f"BIGINT '{days * DAY_MS}'"
