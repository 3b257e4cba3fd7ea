"""Staff pages of the app."""

from analysis.admin import corrections, jobs, lookups, results, strategies

__all__ = ["corrections", "jobs", "lookups", "results", "strategies"]
