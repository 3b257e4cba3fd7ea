"""Django's SQLite with a connection pool and a writer gate."""
