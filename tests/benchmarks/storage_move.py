"""Measures `manage.py move_database` with 1,000,000 candles, beside PostgreSQL's raw COPY.

``python -m tests.benchmarks.storage_move [--candles 1000000] [--url postgres://…]``: makes an SQLite
database by the product's migrations, fills it, moves it in a process of its own, and in the same run
copies the same rows by psql-like raw text COPY into a table without keys: the most that the server
can take from one connection. Without ``--url`` it starts a server from the wheel.
"""

import argparse
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.services import postgres

STEP_MS = 60_000
STARTED_MS = 1_704_067_200_000


def main() -> int:
    """Run it; the exit status is 1 when it takes more than 60 s for a million candles."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candles", type=int, default=1_000_000)
    parser.add_argument("--url", default="")
    wanted = parser.parse_args()
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        server = wanted.url or held.enter_context(postgres.running())
        source = make_source(folder, wanted.candles)
        moved_s, peak_mb, said = move(server, folder)
        raw_s = raw_copy(server, source)
    print(said)
    print(f"raw COPY of {wanted.candles:,} candles: {raw_s:.1f} s, {wanted.candles / raw_s:,.0f}/s")
    print(f"whole command: {moved_s:.1f} s ({moved_s / raw_s:.1f} x raw), peak {peak_mb:.0f} MB")
    return int(moved_s > 60 * max(1.0, wanted.candles / 1_000_000))


def make_source(folder: Path, candles: int) -> Path:
    """Make a database as the product makes it, with ``candles`` rows of four series."""
    run(["migrate", "--verbosity=0"], environment(folder))
    path = folder / "millrace.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        fill(database, candles)
    return path


def fill(database: sqlite3.Connection, candles: int) -> None:
    """Write an exchange, a market, four series and their candles."""
    database.execute("PRAGMA journal_mode = WAL")
    insert_filled(database, "markets_exchange", {"id": 1, "name": "binance"})
    insert_filled(database, "markets_market", {"id": 1, "exchange_id": 1, "symbol": "BTC/USDT"})
    for series in range(1, 5):
        timeframe = ("1m", "5m", "15m", "1h")[series - 1]
        facts = {"id": series, "market_id": 1, "timeframe": timeframe}
        insert_filled(database, "markets_series", facts)
    dice = random.Random(7)
    sql = "INSERT INTO markets_candle (series_id, open_time, open, high, low, close, volume, final, trades, quote_volume) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    rows = (
        (
            1 + number % 4,
            STARTED_MS + number // 4 * STEP_MS,
            *(price := dice.uniform(1e4, 9e4), price * 1.01, price * 0.99, price * 1.001),
            dice.uniform(0, 100),
            True,
            dice.randrange(10_000),
            None,
        )
        for number in range(candles)
    )
    database.executemany(sql, rows)
    database.commit()


def insert_filled(database: sqlite3.Connection, table: str, facts: dict[str, object]) -> None:
    """Insert a row; what it must have and ``facts`` don't say is made up by type."""
    row = dict(facts)
    for _, name, kind, is_needed, default, _ in database.execute(f"PRAGMA table_info({table})"):
        if name not in row and is_needed and default is None:
            row[name] = made_up(kind)
    marks = ", ".join("?" * len(row))
    names = ", ".join(f'"{name}"' for name in row)
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def made_up(kind: str) -> object:
    """Return a value for a column that must have one."""
    if kind.startswith(("varchar", "text")):
        return "[]" if kind == "text" else ""
    return "2026-01-01 00:00:00" if kind == "datetime" else 0


def raw_copy(url: str, source: Path) -> float:
    """Return the seconds that COPY takes for the same rows, made ready before."""
    with closing(sqlite3.connect(source)) as database:
        rows = database.execute("SELECT * FROM markets_candle")
        lines = ["\t".join("\\N" if v is None else str(v) for v in row) for row in rows]
    chunks = ["\n".join(lines[at : at + 20_000]) + "\n" for at in range(0, len(lines), 20_000)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_candles")
        connection.execute(
            "CREATE TABLE raw_candles (s bigint, t bigint, o float8, h float8, l float8, c float8,"
            " v float8, f int, n bigint, q float8)"
        )
        began_s = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("COPY raw_candles FROM STDIN") as copy:
            for chunk in chunks:
                copy.write(chunk)
        took_s = time.perf_counter() - began_s
        connection.execute("DROP TABLE raw_candles")
    return took_s


def move(server: str, folder: Path) -> tuple[float, float, str]:
    """Move into a new database; return the seconds, the memory and what the command said."""
    name = f"moved_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    words = [sys.executable, "manage.py", "move_database", "--to", url]
    began_s = time.perf_counter()
    with subprocess.Popen(
        words, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, memory_mb(process.pid))
            time.sleep(0.05)
        took_s = time.perf_counter() - began_s
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(said[-2000:])
    used = os.times()
    said += f"processor of all commands so far: {used.children_user + used.children_system:.1f} s\n"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
    return took_s, peak_mb, said


def memory_mb(pid: int) -> float:
    """Return the most memory that a process has had so far."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the product's commands on ``folder``."""
    own = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "project.settings"}
    return {**{k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, **own}


def run(words: list[str], own: dict[str, str]) -> str:
    """Run a management command and return what it says."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words], env=own, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
