"""Registers the shared floor as the app ``core``."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Settings of the app ``core``."""

    name = "project.core"
    label = "core"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Let the floor's own kinds of run, system checks and metrics register."""
        from project.core import checks, kinds, metrics  # noqa: F401, PLC0415 -- apps ready
