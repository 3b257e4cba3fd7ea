"""The outside systems: SQLite files, PostgreSQL and its programs, an S3-compatible store."""
