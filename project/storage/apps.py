"""Registers the app ``storage``."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Backups, moving databases, pool statistics."""

    name = "project.storage"
    label = "storage"

    def ready(self) -> None:
        """Let kinds of run, issues, metrics and system checks register."""
        from project.core import processes  # noqa: PLC0415 -- apps are ready only now
        from project.storage import (  # noqa: F401, PLC0415 -- as above
            checks,
            complaining,
            kinds,
            metrics,
            sampling,
        )

        processes.with_heart(sampling.begin)
