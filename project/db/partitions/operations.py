"""The migration operation that puts a table into pieces of time; on SQLite it does nothing."""

from typing import Any

from django.db.migrations.operations.base import Operation

from project.db.partitions import rebuilding
from project.db.partitions.tables import TimeTable


class PutIntoPieces(Operation):
    """Keep a table in months on PostgreSQL, or give it to TimescaleDB where that is there.

    Put it after the ``CreateModel`` in the same migration, or after the model's last one::

        PutIntoPieces("markets_apierrorlog", "happened_at", is_moment=True)

    All unique constraints must contain the column; no other table may refer to the table. Before
    rows are written, ``making.ensure`` must have been called for their time.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(self, name: str, column: str, **facts: Any) -> None:
        """Take the fields of a ``TimeTable``."""
        self.name = name
        self.column = column
        self.facts = facts

    @property
    def table(self) -> TimeTable:
        """The table."""
        return TimeTable(self.name, self.column, **self.facts)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how the operation is written."""
        return type(self).__name__, [self.name, self.column], self.facts

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models don't know of it."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Put the table into pieces."""
        _settle(schema_editor)
        with schema_editor.connection.cursor() as cursor:
            rebuilding.into_pieces(cursor, self.table)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Make it one plain table again."""
        _settle(schema_editor)
        with schema_editor.connection.cursor() as cursor:
            rebuilding.into_one(cursor, self.table)

    def describe(self) -> str:
        """Say what it does."""
        return f"Keep {self.name} in pieces of time"


def _settle(schema_editor: Any) -> None:
    """Let the indexes and keys that Django puts off to the migration's end be made now."""
    for statement in schema_editor.deferred_sql:
        schema_editor.execute(statement, None)
    schema_editor.deferred_sql.clear()
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE", None)
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED", None)
