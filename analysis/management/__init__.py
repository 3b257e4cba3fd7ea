"""Management commands of the app ``analysis``."""
