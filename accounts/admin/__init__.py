"""Staff pages of the app accounts."""

from accounts.admin import features, hooks, limits, people, plans

__all__ = ["features", "hooks", "limits", "people", "plans"]
