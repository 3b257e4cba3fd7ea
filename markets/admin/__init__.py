"""Staff pages of the markets app."""

from markets.admin import candles, collectors, findings, places, repairs

__all__ = ["candles", "collectors", "findings", "places", "repairs"]
