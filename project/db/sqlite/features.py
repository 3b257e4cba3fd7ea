"""Decides what the engine can do beyond Django's SQLite: several connections to a test database."""

from django.db.backends.sqlite3 import features
from django.utils.functional import cached_property

_HEALTH_CHECKS = "backends.base.test_base.ConnectionHealthChecksTests"


class DatabaseFeatures(features.DatabaseFeatures):
    """Django's features of SQLite; a database in a file takes many connections."""

    @property
    def test_db_allows_multiple_connections(self) -> bool:  # type: ignore[override]
        """Whether threads of a test see the same test database."""
        return not self.connection.is_in_memory_db()

    @cached_property
    def django_test_skips(self) -> dict[str, set[str]]:  # type: ignore[override]
        """Tests of Django's own suites that don't apply, by reason."""
        return {
            **super().django_test_skips,
            "A pool keeps connections open by itself and refuses CONN_MAX_AGE.": {
                f"{_HEALTH_CHECKS}.test_health_checks_enabled",
                f"{_HEALTH_CHECKS}.test_health_checks_enabled_errors_occurred",
                f"{_HEALTH_CHECKS}.test_health_checks_disabled",
                f"{_HEALTH_CHECKS}.test_set_autocommit_health_checks_enabled",
            },
        }
