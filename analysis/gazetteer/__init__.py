"""Which places there are, under which names, and where."""
