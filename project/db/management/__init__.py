"""Commands about the database engine."""
