import sqlite3
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, OperationalError, ProgrammingError, connections, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from project.db.errors import NestedWriterError
from project.db.recording import ErrorKind
from project.db.stress.scratch import Account, Entry
from tests.db import files, making


def count(alias: str) -> int:
    return Account.objects.using(alias).count()


def add(alias: str, name: str = "new") -> Account:
    return Account.objects.using(alias).create(name=name)


def add_and_fail(alias: str) -> None:
    with transaction.atomic(using=alias):
        add(alias, "lost")
        raise ValueError("stop")


def in_thread(work):
    """Run ``work`` in a thread of its own and return what it returned or raised."""
    outcome = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 -- handed to the test
            outcome.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


def test_atomic_commits_and_leaves_the_gate(alias):
    with transaction.atomic(using=alias):
        add(alias)
        assert making.wrapper(alias).holds_gate

    assert not making.wrapper(alias).holds_gate
    assert in_thread(lambda: count(alias)) == 21


def test_atomic_that_fails_rolls_back_and_leaves_the_gate(alias):
    with pytest.raises(ValueError, match="stop"):
        add_and_fail(alias)

    assert not making.wrapper(alias).holds_gate
    assert count(alias) == 20


def test_savepoints_roll_back_alone(alias):
    with transaction.atomic(using=alias):
        add(alias, "kept")
        with pytest.raises(ValueError, match="stop"):
            add_and_fail(alias)
        assert making.wrapper(alias).holds_gate

    assert count(alias) == 21


def test_durable_atomic_refuses_to_be_nested(alias):
    with transaction.atomic(using=alias), pytest.raises(RuntimeError, match="durable"):
        transaction.atomic(using=alias, durable=True).__enter__()


def test_on_commit_hooks_run_outside_the_gate_and_may_write(alias):
    held: list[bool] = []

    def after() -> None:
        held.append(making.wrapper(alias).holds_gate)
        held.append(isinstance(in_thread(lambda: add(alias, "by another")), Account))
        add(alias, "after")

    with transaction.atomic(using=alias):
        transaction.on_commit(after, using=alias)
        add(alias)

    assert held == [False, True]
    assert count(alias) == 23


def test_single_writes_hold_the_gate_for_one_statement(alias):
    account = add(alias)  # INSERT … RETURNING

    assert account.pk
    assert not making.wrapper(alias).holds_gate
    assert Account.objects.using(alias).filter(pk=account.pk).update(balance=F("balance") + 1) == 1
    assert not making.wrapper(alias).holds_gate
    with pytest.raises(IntegrityError):
        add(alias)
    assert not making.wrapper(alias).holds_gate
    with connections[alias].cursor() as cursor:
        cursor.execute("UPDATE db_stress_account SET balance = 7 WHERE id < 4 RETURNING id")
        assert not making.wrapper(alias).holds_gate
        assert cursor.fetchone() == (1,)
        assert cursor.fetchmany(1) == [(2,)]
        assert list(cursor) == [(3,)]
        cursor.executemany("DELETE FROM db_stress_account WHERE id = %s", [(1,), (2,)])
    assert not making.wrapper(alias).holds_gate
    assert count(alias) == 19


def test_manual_transactions_hold_the_gate_from_the_first_write_to_the_end(alias):
    transaction.set_autocommit(False, using=alias)
    try:
        assert count(alias) == 20
        assert not making.wrapper(alias).holds_gate
        add(alias)
        assert making.wrapper(alias).holds_gate
        transaction.rollback(using=alias)
        assert not making.wrapper(alias).holds_gate
        add(alias)
        transaction.commit(using=alias)
        assert not making.wrapper(alias).holds_gate
    finally:
        transaction.set_autocommit(True, using=alias)

    assert count(alias) == 21


def test_transactions_by_hand_hold_the_gate_to_their_commit(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        assert making.wrapper(alias).holds_gate
        cursor.execute("DELETE FROM db_stress_account")
        cursor.execute("ROLLBACK")
        assert not making.wrapper(alias).holds_gate

    assert count(alias) == 20


def test_reads_pass_the_gate_by(alias):
    with transaction.atomic(using=alias):
        add(alias)

        assert in_thread(lambda: count(alias)) == 20


def test_close_inside_atomic_rolls_back_and_leaves_the_gate(alias):
    with transaction.atomic(using=alias):
        add(alias)
        connections[alias].close()
        with pytest.raises(ProgrammingError, match="new connection in an atomic block"):
            add(alias)

    assert in_thread(lambda: add(alias, "by another")).pk
    assert count(alias) == 21


def test_iterator_goes_on_while_its_thread_writes(alias):
    for account in Account.objects.using(alias).iterator(chunk_size=5):
        Account.objects.using(alias).filter(pk=account.pk).update(balance=1)

    assert Account.objects.using(alias).filter(balance=1).count() == 20


def test_given_back_connections_forget_what_was_left_open(alias):
    wrapper = making.wrapper(alias)
    rows = Account.objects.using(alias).iterator(chunk_size=2)
    next(rows)
    transaction.set_autocommit(False, using=alias)
    add(alias)
    raw = wrapper.connection
    wrapper.close()

    assert count(alias) == 20
    assert wrapper.connection is raw
    assert wrapper.get_autocommit()
    assert not wrapper.holds_gate
    with pytest.raises(ProgrammingError):  # its cursor must not go on in a lent connection
        list(rows)
    wrapper.close()


def test_next_user_sees_the_newest_rows_though_an_iterator_was_left_open(alias):
    rows = Account.objects.using(alias).iterator(chunk_size=2)
    next(rows)
    connections[alias].close()
    in_thread(lambda: add(alias))

    assert count(alias) == 21
    del rows


@pytest.mark.parametrize("sql", ["PRAGMA foreign_keys = OFF", "CREATE TEMP TABLE a (b)"])
def test_altered_connections_are_not_given_to_the_next(alias, sql):
    wrapper = making.wrapper(alias)
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
    raw = wrapper.connection
    wrapper.close()

    with wrapper.cursor() as cursor:
        assert wrapper.connection is not raw
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert cursor.execute("SELECT count(*) FROM sqlite_temp_master").fetchone() == (0,)


def test_connections_closed_behind_the_back_are_replaced(alias):
    wrapper = making.wrapper(alias)
    assert count(alias) == 20
    wrapper.connection.close()

    with pytest.raises(ProgrammingError):
        count(alias)
    assert not wrapper.is_usable()
    wrapper.close_if_unusable_or_obsolete()

    assert count(alias) == 20
    assert wrapper.pool.recorder.errors[ErrorKind.CONNECT] == 1


def test_connection_closed_behind_the_back_in_a_transaction_leaves_the_gate(alias):
    def add_twice() -> None:
        with transaction.atomic(using=alias):
            add(alias)
            making.wrapper(alias).connection.close()
            add(alias, "more")

    with pytest.raises(ProgrammingError):
        add_twice()
    connections[alias].close()

    assert in_thread(lambda: add(alias)).pk


def test_two_aliases_on_one_file_in_one_thread_are_refused_at_once(alias, tmp_path):
    settings = files.sqlite_settings(tmp_path / "scratch.sqlite3")
    with making.database("twin", settings), transaction.atomic(using=alias):
        add(alias)
        with pytest.raises(NestedWriterError, match="same database alias"):
            add("twin")


def test_databases_in_memory_pass_by(django_db_blocker):
    settings = files.sqlite_settings(Path(":memory:"))
    with django_db_blocker.unblock(), making.filled("memory", settings):
        assert making.wrapper("memory").pool is None
        assert making.wrapper("memory").pool_state() is None
        connections["memory"].close()  # must not destroy it
        assert count("memory") == 20


def test_without_a_pool_it_is_djangos_own(tmp_path, django_db_blocker):
    settings = files.sqlite_settings(tmp_path / "plain.sqlite3")
    settings["OPTIONS"]["pool"] = False
    settings["CONN_MAX_AGE"] = None
    with django_db_blocker.unblock(), making.filled("plain", settings):
        assert making.wrapper("plain").pool is None
        assert add("plain").pk


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"CONN_MAX_AGE": 60}, "CONN_MAX_AGE must be 0"),
        ({"CONN_MAX_AGE": None}, "CONN_MAX_AGE must be 0"),
        ({"pool": {"minsize": 2}}, "knows no minsize"),
        ({"pool": {"min_size": 3, "max_size": 2}}, "min_size <= max_size"),
        ({"pool": {"timeout": 0}}, "positive seconds"),
        ({"pool": 7}, "True, False or a dictionary"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, django_db_blocker, changes, text):
    settings = files.sqlite_settings(tmp_path / "wrong.sqlite3")
    settings["CONN_MAX_AGE"] = changes.get("CONN_MAX_AGE", 0)
    settings["OPTIONS"]["pool"] = changes.get("pool", True)

    with django_db_blocker.unblock(), making.database("wrong", settings):
        with pytest.raises(ImproperlyConfigured, match=text):
            connections["wrong"].cursor()
        settings["CONN_MAX_AGE"], settings["OPTIONS"]["pool"] = 0, True


def test_deferred_transactions_take_the_gate_with_their_first_write(make_database, tmp_path):
    make_database()
    settings = files.sqlite_settings(tmp_path / "scratch.sqlite3")
    settings["OPTIONS"]["transaction_mode"] = "DEFERRED"
    with making.database("deferred", settings):
        with transaction.atomic(using="deferred"):
            assert count("deferred") == 20
            assert not making.wrapper("deferred").holds_gate
            add("deferred")
            assert making.wrapper("deferred").holds_gate
        assert not making.wrapper("deferred").holds_gate


def test_foreign_keys_and_schema_changes_work(alias):
    with pytest.raises(IntegrityError), transaction.atomic(using=alias):
        Entry.objects.using(alias).create(account_id=999, amount=1, note="nobody's")
    with connections[alias].schema_editor() as editor:
        editor.remove_index(Entry, Entry._meta.indexes[0])
        editor.add_index(Entry, Entry._meta.indexes[0])

    assert not making.wrapper(alias).holds_gate


def test_locked_by_another_program_is_counted_as_busy(tmp_path, django_db_blocker):
    settings = files.sqlite_settings(tmp_path / "busy.sqlite3")
    settings["OPTIONS"]["timeout"] = 0.1
    with django_db_blocker.unblock(), making.filled("busy", settings):
        other = sqlite3.connect(tmp_path / "busy.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(OperationalError, match="locked"):
            add("busy")

        other.close()
        assert making.wrapper("busy").pool.recorder.errors == {ErrorKind.BUSY: 1}
        assert not making.wrapper("busy").holds_gate
        assert add("busy").pk


def test_needs_rollback_is_kept(alias):
    with transaction.atomic(using=alias):
        with pytest.raises(IntegrityError), transaction.atomic(using=alias, savepoint=False):
            Account.objects.using(alias).create(id=1, name="twice")
        with pytest.raises(TransactionManagementError):
            count(alias)
    assert count(alias) == 20
