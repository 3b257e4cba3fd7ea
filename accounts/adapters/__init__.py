"""Outside systems of the app accounts."""
