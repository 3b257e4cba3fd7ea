"""Staff pages of the app accounts."""

from accounts.admin import features, limits, people, plans

__all__ = ["features", "limits", "people", "plans"]
