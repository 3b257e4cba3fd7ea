"""Staff pages of the proxies app."""

from proxies.admin import etl, leases, pool, sources

__all__ = ["etl", "leases", "pool", "sources"]
