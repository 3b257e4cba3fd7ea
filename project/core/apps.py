"""Registers the shared floor as the app ``core``, and the console as Django's admin."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class CoreConfig(AppConfig):
    """Settings of the app ``core``."""

    default = True
    name = "project.core"
    label = "core"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Let the floor's own kinds of run, system checks and metrics register; watch."""
        from project.core import bugs, checks, closing, kinds, metrics, tracing  # noqa: F401, PLC0415 -- apps ready

        if settings.TRACING:
            tracing.connect()
        if settings.SENTRY_DSN:
            bugs.connect()


class ConsoleConfig(admin_apps.AdminConfig):
    """Django's admin, with the console as its site."""

    default = False
    default_site = "project.core.console.ConsoleSite"
