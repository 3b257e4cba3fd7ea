"""Staff pages of the app."""

from analysis.admin import batches, corrections, jobs, lookups, results, strategies

__all__ = ["batches", "corrections", "jobs", "lookups", "results", "strategies"]
