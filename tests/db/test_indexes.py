"""Indexes made while the table is written."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

from project.db.indexes import AddIndexOnline

pytestmark = pytest.mark.django_db(transaction=True)
INDEX = models.Index(fields=["words"], name="trial_page_words")


@pytest.fixture
def state() -> Iterator[ProjectState]:
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("words", models.TextField()),
    ]
    state = ProjectState()
    state.add_model(ModelState("trial", "Page", fields, options={"db_table": "trial_page"}))
    page = state.apps.get_model("trial", "Page")
    with connection.schema_editor() as editor:
        editor.create_model(page)
    yield state
    with connection.schema_editor() as editor:
        editor.delete_model(page)


def apply(state: ProjectState) -> ProjectState:
    class Migration(migrations.Migration):
        atomic = False
        operations = [AddIndexOnline("page", INDEX)]

    with connection.schema_editor(atomic=False) as editor:
        return Migration("0002", "trial").apply(state.clone(), editor)


def unapply(state: ProjectState) -> None:
    operation = AddIndexOnline("page", INDEX)
    after = state.clone()
    operation.state_forwards("trial", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("trial", editor, after, state)


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "trial_page"))


def test_index_comes_and_goes(state):
    apply(state)
    assert "trial_page_words" in indexes()

    unapply(state)
    assert "trial_page_words" not in indexes()


def write_while_it_is_made() -> None:
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM pg_stat_progress_create_index")
            if cursor.fetchone()[0]:
                break
        cursor.execute("SET lock_timeout = '5s'")
        cursor.execute("INSERT INTO trial_page (words) VALUES ('meanwhile')")
        cursor.execute("SET lock_timeout = 0")


@pytest.mark.postgres
def test_writers_go_on_while_it_is_made(state):
    """An open write transaction is waited for, and keeps nobody else from writing."""
    written, finished = threading.Event(), threading.Event()

    def make() -> None:
        apply(state)
        connection.close()

    making = threading.Thread(target=make)

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("INSERT INTO trial_page (words) VALUES ('held')")
            written.set()
            finished.wait(30)
            cursor.execute("COMMIT")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert written.wait(30)
    making.start()
    write_while_it_is_made()
    assert making.is_alive()
    finished.set()
    holder.join(30)
    making.join(30)

    assert "trial_page_words" in indexes()


@pytest.mark.postgres
def test_index_that_failed_halfway_is_made_again(state):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO trial_page (words) VALUES ('twice'), ('twice')")
        with pytest.raises(DatabaseError):
            cursor.execute(
                "CREATE UNIQUE INDEX CONCURRENTLY trial_page_words ON trial_page (words)"
            )
        assert "trial_page_words" in indexes()  # and invalid

    apply(state)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'trial_page_words'::regclass"
        )
        assert cursor.fetchone() == (True,)
