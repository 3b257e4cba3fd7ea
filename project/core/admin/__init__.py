"""Staff pages of the shared floor."""

from project.core import dashboard
from project.core.admin import (
    filters,
    jobs,
    memory,
    processes,
    runs,
    schedules,
    stopping,
    trail,
)

__all__ = [
    "dashboard",
    "filters",
    "jobs",
    "memory",
    "processes",
    "runs",
    "schedules",
    "stopping",
    "trail",
]
