"""Staff pages of the proxies app."""

from proxies.admin import etl, leases, overview, policies, pool, sources, uploads

__all__ = ["etl", "leases", "overview", "policies", "pool", "sources", "uploads"]
