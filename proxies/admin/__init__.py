"""Staff pages of the proxies app."""

from proxies.admin import etl, leases, overview, pool, sources

__all__ = ["etl", "leases", "overview", "pool", "sources"]
