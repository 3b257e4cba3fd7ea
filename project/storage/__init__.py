"""Backups, moving to PostgreSQL, and the recorded statistics of the database pools."""
