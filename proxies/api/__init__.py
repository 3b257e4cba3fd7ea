"""The HTTP edge of the app."""
