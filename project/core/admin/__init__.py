"""Staff pages of the shared floor."""

from project.core import dashboard
from project.core.admin import jobs, processes, runs, schedules

__all__ = ["dashboard", "jobs", "processes", "runs", "schedules"]
