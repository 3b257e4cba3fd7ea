"""Candle files of other tools, told apart by their content: rows out of them, in flat memory."""
