"""Staff pages of the markets app."""

from markets.admin import candles, collectors, places, repairs

__all__ = ["candles", "collectors", "places", "repairs"]
