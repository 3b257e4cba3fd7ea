"""Candle files of other tools."""
