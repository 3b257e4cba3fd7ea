"""Writes pairs of rows that cancel out, each pair in a transaction, until killed."""

import sqlite3
import sys
import time
from typing import Any

MAKE = "CREATE TABLE IF NOT EXISTS ledger (writer int, number int, amount int)"


def main(dsn: str, path: str, number: str) -> None:
    """Write to the PostgreSQL database at ``dsn``, or the SQLite file at ``path``."""
    if dsn:
        import psycopg

        database: Any = psycopg.connect(dsn, autocommit=True)
        database.execute("SELECT pg_advisory_lock(1)")  # CREATE … IF NOT EXISTS may collide
        database.execute(MAKE)
        database.execute("SELECT pg_advisory_unlock(1)")
        mark, begin = "%s", "BEGIN"
    else:
        database = sqlite3.connect(path, timeout=20, isolation_level=None)
        database.execute(MAKE)
        mark, begin = "?", "BEGIN IMMEDIATE"
    sql = f"INSERT INTO ledger VALUES ({mark}, {mark}, {mark})"
    for count in range(10_000_000):
        database.execute(begin)
        database.execute(sql, (int(number), count, count))
        database.execute(sql, (int(number), count, -count))
        database.execute("COMMIT")
        if count == 5:
            sys.stdout.write("writing\n")
            sys.stdout.flush()
        time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
