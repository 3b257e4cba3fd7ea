"""Staff pages of the markets app."""

from markets.admin import audits, candles, collectors, errors, findings, places, quality, repairs

__all__ = ["audits", "candles", "collectors", "errors", "findings", "places", "quality", "repairs"]
