"""Staff pages of the proxies app."""

from proxies.admin import etl, leases, overview, pool, sources, uploads

__all__ = ["etl", "leases", "overview", "pool", "sources", "uploads"]
