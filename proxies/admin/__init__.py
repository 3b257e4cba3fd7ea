"""Staff pages of the proxies app."""

from proxies.admin import leases, pool, sources

__all__ = ["leases", "pool", "sources"]
