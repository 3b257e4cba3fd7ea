"""Indexes that are added to tables in use."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex


class AddIndexOnline(AddIndexConcurrently):
    """Add an index while the table is read and written: ``CONCURRENTLY`` on PostgreSQL.

    The migration needs ``atomic = False`` and no other operation, since an index that fails
    halfway stays behind as invalid; it is dropped first when the migration runs again. On
    SQLite the one writer waits for the time that the index takes.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Make the index."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        name = schema_editor.quote_name(self.index.name)
        with schema_editor.connection.cursor() as cursor:
            if _is_invalid(cursor, self.index.name):
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Drop the index."""
        vendor = schema_editor.connection.vendor
        drop = AddIndexConcurrently if vendor == "postgresql" else AddIndex
        drop.database_backwards(self, app_label, schema_editor, from_state, to_state)


def _is_invalid(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
    row = cursor.fetchone()
    return row is not None and not row[0]
