"""Registers the shared floor as the app ``core``."""

from django.apps import AppConfig
from django.conf import settings
from django.core.cache.backends.dummy import DummyCache


class CoreConfig(AppConfig):
    """Settings of the app ``core``."""

    name = "project.core"
    label = "core"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Let the floor's own kinds of run, system checks and metrics register; watch."""
        from unfold import sites  # noqa: PLC0415 -- apps ready

        from project.core import bugs, checks, kinds, metrics, tracing  # noqa: F401, PLC0415 -- as above

        # It keeps what the palette found for five minutes, in objects that no shared cache takes;
        # a run that was just begun must be found.
        sites.cache = DummyCache("", {})
        if settings.TRACING:
            tracing.connect()
        if settings.SENTRY_DSN:
            bugs.connect()
