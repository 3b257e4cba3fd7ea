"""The databases: which SQLite library is used, and its engine."""
