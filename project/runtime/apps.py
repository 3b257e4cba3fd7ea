"""Registers the runtime's commands."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Settings of the app ``runtime``."""

    name = "project.runtime"
    label = "runtime"

    def ready(self) -> None:
        """Lead newcomers around."""
        from project.runtime import guiding  # noqa: PLC0415 -- apps ready

        guiding.register()
