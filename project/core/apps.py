"""Registers the shared floor as the app ``core``."""

from django.apps import AppConfig
from django.conf import settings


class CoreConfig(AppConfig):
    """Settings of the app ``core``."""

    name = "project.core"
    label = "core"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Let the floor's own kinds of run, system checks and metrics register; watch."""
        from project.core import bugs, checks, kinds, metrics, tracing  # noqa: F401, PLC0415 -- apps ready

        if settings.TRACING:
            tracing.connect()
        if settings.SENTRY_DSN:
            bugs.connect()
