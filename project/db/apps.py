"""Makes ``project.db`` known to Django: its command and its checks."""

from django.apps import AppConfig
from django.core import checks


class DbConfig(AppConfig):
    """The database engine; it has no tables."""

    name = "project.db"
    label = "db"
    verbose_name = "Database"

    def ready(self) -> None:
        """Register the checks."""
        from project.db.checks import check_databases  # noqa: PLC0415 -- needs the app registry

        checks.register(check_databases)
