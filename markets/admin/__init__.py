"""Staff pages of the markets app."""

from markets.admin import candles, collectors, errors, findings, places, quality, repairs

__all__ = ["candles", "collectors", "errors", "findings", "places", "quality", "repairs"]
