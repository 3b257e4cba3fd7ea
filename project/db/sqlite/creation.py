"""Decides how test databases come and go: files, whose pools must be closed around them."""

import contextlib
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import creation

from project.db.sqlite import registry


class DatabaseCreation(creation.DatabaseCreation):
    """Django's creation of test databases, which also clears what SQLite puts beside a file."""

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:  # noqa: FBT001, FBT002 -- Django's signature
        name = self._get_test_db_name()  # type: ignore[attr-defined]
        if not keepdb:
            self._forget(name)
        made = str(super()._create_test_db(verbosity, autoclobber, keepdb))  # type: ignore[misc]
        if not keepdb:
            self._remove_companions(name)
        return made

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's signature
        source = self.connection.settings_dict["NAME"]
        if not self.is_in_memory_db(source):
            self._fold_wal()
            clone = self.get_test_db_clone_settings(suffix)["NAME"]
            self._forget(clone)
            if not keepdb:
                self._remove_companions(clone)
        super()._clone_test_db(suffix, verbosity, keepdb)  # type: ignore[misc]

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        self._forget(test_database_name)
        super()._destroy_test_db(test_database_name, verbosity)  # type: ignore[misc]
        self._remove_companions(test_database_name)

    def _fold_wal(self) -> None:
        """Bring everything into the main file, which is what is copied."""
        with self.connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()

    def _forget(self, name: Any) -> None:
        if name and not self.is_in_memory_db(name):
            registry.close_pools(registry.path_of(str(name)))

    def _remove_companions(self, name: Any) -> None:
        """Remove what would be taken for the new database's own WAL and lock file."""
        if not name or self.is_in_memory_db(name):
            return
        for ending in ("-wal", "-shm", "-journal", "-gate"):
            with contextlib.suppress(OSError):
                Path(f"{registry.path_of(str(name))}{ending}").unlink()
