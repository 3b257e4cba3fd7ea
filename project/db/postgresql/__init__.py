"""Django's PostgreSQL with psycopg's pool and the same statistics as the SQLite engine."""
