"""Registers the runtime's commands."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Settings of the app ``runtime``."""

    name = "project.runtime"
    label = "runtime"
