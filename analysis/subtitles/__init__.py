"""What a transcript says and when, whatever format and encoding it comes in."""

from analysis.subtitles.parsing import MOST_BYTES, parse

__all__ = ["MOST_BYTES", "parse"]
