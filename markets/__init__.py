"""Candle history without holes: collects, measures, repairs."""
