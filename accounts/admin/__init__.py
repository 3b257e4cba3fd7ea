"""Staff pages of the app accounts."""

from accounts.admin import limits, people, plans

__all__ = ["limits", "people", "plans"]
