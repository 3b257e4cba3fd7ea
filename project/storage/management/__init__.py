"""Commands of the storage app."""
