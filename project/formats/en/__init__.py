"""In English: as programs write them, since rows are compared and copied."""
