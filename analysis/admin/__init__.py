"""Staff pages of the app."""

from analysis.admin import corrections, jobs, results, strategies

__all__ = ["corrections", "jobs", "results", "strategies"]
