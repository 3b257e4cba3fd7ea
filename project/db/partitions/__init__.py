"""Tables that PostgreSQL keeps in pieces of time: by month, or by TimescaleDB where it is there."""

from project.db.partitions.tables import TimeTable

__all__ = ["TimeTable"]
