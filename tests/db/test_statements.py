import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.db.sqlite import statements

READS = (
    "SELECT 1",
    "  select 1",
    "(SELECT 1) UNION SELECT 2",
    "-- why\nSELECT 1",
    "/* who */ SELECT 1",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "VALUES (1)",
    "EXPLAIN QUERY PLAN SELECT 1",
    "PRAGMA foreign_keys",
    "SAVEPOINT s1",
    "RELEASE SAVEPOINT s1",
    "ROLLBACK TO SAVEPOINT s1",
    "ROLLBACK",
    "COMMIT",
    "BEGIN",
    "begin deferred",
)
WRITES = (
    "INSERT INTO a VALUES (1)",
    "insert into a values (1)",
    "UPDATE a SET b = 1",
    "DELETE FROM a",
    "REPLACE INTO a VALUES (1)",
    "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a",
    "WITH a AS (SELECT 1)\nUPDATE b SET c = 1",
    "WITH a AS (SELECT 1) REPLACE INTO b SELECT * FROM a",
    "CREATE TABLE a (b)",
    "ALTER TABLE a ADD c",
    "DROP TABLE a",
    "VACUUM",
    "ANALYZE",
    "REINDEX",
    "BEGIN IMMEDIATE",
    "BEGIN  EXCLUSIVE",
    "/* who */ UPDATE a SET b = 1",
    "-- why\nDELETE FROM a",
)


@pytest.mark.parametrize("sql", READS)
def test_is_read_of_reads(sql):
    assert statements.is_read(sql)


@pytest.mark.parametrize("sql", WRITES)
def test_is_read_of_writes(sql):
    assert not statements.is_read(sql)


@given(st.sampled_from(WRITES[:10]), st.text(alphabet=" \n\t", max_size=5), st.text(max_size=20))
def test_is_read_never_takes_a_write_for_a_read(sql, blanks, comment):
    safe = comment.replace("*/", "")

    assert not statements.is_read(f"{blanks}/*{safe}*/{blanks}{sql}")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("PRAGMA foreign_keys = OFF", True),
        ("PRAGMA main.synchronous=OFF", True),
        ("PRAGMA query_only(1)", True),
        ("ATTACH DATABASE 'a' AS b", True),
        ("CREATE TEMP TABLE a (b)", True),
        ("CREATE TEMPORARY VIEW a AS SELECT 1", True),
        ("PRAGMA foreign_keys", False),
        ('PRAGMA table_info("a")', False),
        ("PRAGMA index_list(a)", False),
        ("PRAGMA foreign_key_check(a)", False),
        ("PRAGMA wal_checkpoint(TRUNCATE)", False),
        ("CREATE TABLE a (b)", False),
        ("SELECT 'PRAGMA a = 1'", False),
        ("INSERT INTO a VALUES ('ATTACH')", False),
    ],
)
def test_taints(sql, expected):
    assert statements.taints(sql) is expected
