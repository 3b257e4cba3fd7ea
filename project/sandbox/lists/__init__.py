"""A server that publishes proxy lists."""
